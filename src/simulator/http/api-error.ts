/** Errors as the API states them. */

export interface ApiErrorDetails {
  readonly status: number;
  readonly message: string;
  readonly type?: string;
  readonly param?: string | null;
  readonly code?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Ends a call with the status and the API's envelope. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: { readonly error: Readonly<Record<string, string | null>> };

  constructor(details: ApiErrorDetails) {
    super(details.message);
    this.status = details.status;
    this.headers = details.headers ?? {};
    this.body = {
      error: {
        message: details.message,
        type: details.type ?? 'invalid_request_error',
        param: details.param ?? null,
        code: details.code ?? null,
      },
    };
  }
}

export function missingParameter(param: string): ApiError {
  return new ApiError({
    status: 400,
    message: `Missing required parameter: '${param}'.`,
    param,
    code: 'missing_required_parameter',
  });
}

export function invalidValue(param: string, message: string): ApiError {
  return new ApiError({ status: 400, message, param, code: 'invalid_value' });
}

export function noSuchFile(fileId: string): ApiError {
  return new ApiError({ status: 404, message: `No such File object: ${fileId}`, param: 'id' });
}

export function noSuchBatch(batchId: string): ApiError {
  return new ApiError({ status: 404, message: `No batch found with id '${batchId}'.` });
}

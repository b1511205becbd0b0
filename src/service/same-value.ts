/** Whether two JSON values say the same; the order of keys says nothing. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [fields, others] = [entriesOf(a), entriesOf(b)];
  if (fields.size !== others.size) return false;
  return [...fields].every(([key, value]) => others.has(key) && sameValue(value, others.get(key)));
}

/** What JSON leaves out counts as absent. */
function entriesOf(value: object): Map<string, unknown> {
  return new Map<string, unknown>(
    Object.entries(value).filter(([, field]: [string, unknown]) => field !== undefined),
  );
}

/**
 * Gives the memory of large arrays back at once. The collector counts them late: without this,
 * a thread that settles chunk after chunk keeps some 70 MB of arrays that nobody uses.
 */

/** The view must not be used afterwards, nor any other view of the same memory. */
export function releaseMemory(view: ArrayBufferView): void {
  const { buffer } = view;
  const isItsOwn = buffer.byteLength === view.byteLength;
  if (isItsOwn && buffer instanceof ArrayBuffer) buffer.transfer(0);
}

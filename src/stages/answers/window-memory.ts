/** The one large buffer of a thread: made at the first need, then used again and again. */

let memory = Buffer.alloc(0);

/**
 * At least `sizeBytes`, more where the thread has more. The bytes are whatever was there; whoever
 * takes the window again takes it from its last holder.
 */
export function takeWindow(sizeBytes: number): Buffer {
  if (memory.length < sizeBytes) memory = Buffer.allocUnsafeSlow(sizeBytes);
  return memory.subarray(0, sizeBytes);
}

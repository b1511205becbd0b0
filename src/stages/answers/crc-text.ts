/** A crc32 as it is recorded of a part. */
export function crcText(crc: number): string {
  return crc.toString(16).padStart(8, '0');
}

/**
 * Does the same for many, a few at once. After a failure nothing new is begun, what runs is
 * waited for, and the first failure rejects.
 */
export async function concurrently<Item>(
  items: Iterable<Item>,
  limit: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.iterator]();
  const failures: unknown[] = [];
  const workSome = async (): Promise<void> => {
    for (let item = iterator.next(); !item.done; item = iterator.next()) {
      if (failures.length > 0) return;
      await work(item.value).catch((error: unknown) => failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: limit }, workSome));
  if (failures.length > 0) throw failures[0];
}

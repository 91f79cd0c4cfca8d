/** Databases bound the number of values in one statement; SQLite's bound is the lower one. */
const chunkSize = 1000

/** Asks for any number of ids, in as many statements as it takes; none for no ids. */
export async function inChunks<I, R>(ids: readonly I[], ask: (chunk: I[]) => Promise<R[]>): Promise<R[]> {
  const found: R[] = []
  for (let start = 0; start < ids.length; start += chunkSize) {
    for (const row of await ask(ids.slice(start, start + chunkSize))) found.push(row)
  }
  return found
}

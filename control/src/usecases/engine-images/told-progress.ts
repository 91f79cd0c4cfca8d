import type { Digest } from '@gantry/model'
import type { BlobProgress } from '../../catalogue.ts'

/**
 * What `work` tells of blobs as it goes, and then its result: of each blob only the newest, so that a slow reader holds neither
 * the work nor any memory. Whoever stops reading ends the work by its own signal.
 */
export async function* toldBy<T>(
  work: (tell: (told: BlobProgress) => void) => Promise<T>,
): AsyncGenerator<BlobProgress, T> {
  const news = new Map<Digest, BlobProgress>()
  let wake = () => {}
  let isOver = false
  const result = work((told) => {
    news.set(told.digest, told)
    wake()
  }).finally(() => {
    isOver = true
    wake()
  })
  // It is thrown where it is waited for.
  result.catch(() => undefined)
  for (;;) {
    const told = [...news.values()]
    news.clear()
    yield* told
    if (news.size > 0) continue
    if (isOver) return result
    await new Promise<void>((resolve) => {
      wake = resolve
    })
  }
}

/** Waits for the first line, so that what fails before it is thrown here and not told in the stream. */
export async function begun<T>(lines: AsyncGenerator<T>): Promise<AsyncGenerator<T>> {
  const first = await lines.next()
  return (async function* rest() {
    if (first.done) return
    yield first.value
    yield* lines
  })()
}

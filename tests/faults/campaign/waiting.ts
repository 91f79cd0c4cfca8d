export const delay = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** Asks until the answer is true; false: it was not within the time. */
export async function eventually(isSo: () => Promise<boolean>, seconds: number, everyMs = 500): Promise<boolean> {
  const end = performance.now() + seconds * 1000
  for (;;) {
    if (await isSo().catch(() => false)) return true
    if (performance.now() > end) return false
    await delay(everyMs)
  }
}

import { setImmediate } from 'node:timers/promises'

/**
 * Calls that come within one turn of the event loop, or while an earlier one is under way, go together: `work` gets what was asked,
 * `most` at most and in order, and answers with as many results. If it rejects, each is asked alone, so that none fails for another.
 */
export function gathered<K, V>(
  work: (asked: readonly K[]) => Promise<readonly V[]>,
  most = 500,
): (asked: K) => Promise<V> {
  let waiting: { readonly asked: K; readonly answer: PromiseWithResolvers<V> }[] = []
  let running = false

  async function run(): Promise<void> {
    running = true
    await setImmediate()
    while (waiting.length > 0) {
      const batch = waiting.slice(0, most)
      waiting = waiting.slice(most)
      await answerAll(batch)
    }
    running = false
  }

  async function answerAll(batch: typeof waiting): Promise<void> {
    try {
      const answers = await work(batch.map(({ asked }) => asked))
      batch.forEach(({ answer }, index) => answer.resolve(answers[index] as V))
    } catch (error) {
      if (batch.length > 1) for (const one of batch) await answerAll([one])
      else batch[0]?.answer.reject(error)
    }
  }

  return (asked) => {
    const answer = Promise.withResolvers<V>()
    waiting.push({ asked, answer })
    if (!running) void run()
    return answer.promise
  }
}

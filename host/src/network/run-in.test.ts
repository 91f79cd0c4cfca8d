import { expect, test } from 'vitest'
import { failedLines } from './run-in.ts'
import { latestOnly } from './latest-only.ts'

test('what `ip -batch` refused is told with its line and its reason', () => {
  const said = 'Cannot find device "a"\nCommand failed -:1\nRTNETLINK answers: File exists\nCommand failed -:3\n'
  expect(failedLines(said)).toEqual([
    { line: 1, reason: 'Cannot find device "a"' },
    { line: 3, reason: 'RTNETLINK answers: File exists' },
  ])
  expect(failedLines('nsenter: cannot open /run/netns/x: No such file or directory')).toEqual([])
})

test('changes that come while one is carried out share one more turn', async () => {
  const turns: PromiseWithResolvers<void>[] = []
  const run = latestOnly(() => {
    const turn = Promise.withResolvers<void>()
    turns.push(turn)
    return turn.promise
  })
  const first = run()
  await Promise.resolve()
  const [second, third] = [run(), run()]
  expect(second).toBe(third)
  expect(turns).toHaveLength(1)
  turns[0]?.reject(new Error('refused'))
  await expect(first).rejects.toThrow('refused')
  await Promise.resolve()
  await expect.poll(() => turns.length).toBe(2)
  turns[1]?.resolve()
  await second
})

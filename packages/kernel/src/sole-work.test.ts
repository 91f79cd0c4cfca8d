import { expect, test } from 'vitest'
import { SoleWork } from './sole-work.ts'

const refusal = async () => new Error('busy')

test('a second piece of work is refused until the first has ended', async () => {
  const work = new SoleWork<string, 'read'>()
  const { promise, resolve } = Promise.withResolvers<string>()
  const first = work.run('a', { kind: 'read', refusal }, () => promise)
  await expect(work.run('a', { kind: 'read', refusal }, async () => 'second')).rejects.toThrow('busy')
  expect(await work.run('b', { kind: 'read', refusal }, async () => 'other')).toBe('other')
  resolve('first')
  expect(await first).toBe('first')
  expect(await work.run('a', { kind: 'read', refusal }, async () => 'third')).toBe('third')
})

test('those who wait come one after another, also after one that fails', async () => {
  const work = new SoleWork<string, 'write'>()
  let running = 0
  const each = (fails: boolean) =>
    work.run('a', { kind: 'write', waitsFor: 'write', refusal }, async () => {
      running += 1
      const most = running
      await Promise.resolve()
      running -= 1
      if (fails) throw new Error('failed')
      return most
    })
  const [first, ...others] = await Promise.allSettled([each(true), each(false), each(false)])
  expect(first).toMatchObject({ status: 'rejected', reason: { message: 'failed' } })
  expect(others).toEqual([1, 1].map((value) => ({ status: 'fulfilled', value })))
})

test('stop aborts what is under way and resolves at its end', async () => {
  const work = new SoleWork<string, 'read'>()
  const told: string[] = []
  const running = work.run('a', { kind: 'read', refusal }, async (stop) => {
    await new Promise((resolve) => stop.addEventListener('abort', resolve))
    told.push('ended')
  })
  await work.stop('a')
  told.push('stopped')
  await running
  expect(told).toEqual(['ended', 'stopped'])
  await work.stop('a')
})

import { setImmediate } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { InFlight } from './in-flight.ts'

test('work that fails after other work has failed ends no process', async () => {
  const unheard: unknown[] = []
  const hear = (reason: unknown) => void unheard.push(reason)
  process.on('unhandledRejection', hear)
  onTestFinished(() => void process.off('unhandledRejection', hear))
  const inFlight = new InFlight()
  const full = new Error('the disk is full')
  await inFlight.add(Promise.reject(full))
  await expect(inFlight.settled()).rejects.toBe(full)
  const late = Promise.withResolvers<void>()
  const added = inFlight.add(late.promise)
  await expect(added).rejects.toBe(full)
  late.reject(new Error('still full'))
  await setImmediate()
  await inFlight.ended()
  expect(unheard).toEqual([])
})

test('the first failure is thrown at whoever comes next', async () => {
  const inFlight = new InFlight()
  await inFlight.add(Promise.reject(new Error('one')))
  await expect(inFlight.settled()).rejects.toThrow('one')
  await expect(inFlight.add(Promise.reject(new Error('two')))).rejects.toThrow('one')
})

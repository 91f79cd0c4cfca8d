import { expect, test } from 'vitest'
import { LogBuffer } from './log-buffer.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const texts = (buffer: LogBuffer) => buffer.lines().map(({ text }) => text)

test('lines and characters that are cut are put together, those of errors apart', () => {
  const buffer = new LogBuffer(100)
  const [a, b] = [bytes('grü').slice(0, 3), bytes('grü').slice(3)]
  buffer.push(1, a)
  buffer.push(2, bytes('oh\r\n'))
  buffer.push(1, b)
  expect(texts(buffer)).toEqual(['oh'])
  buffer.push(1, bytes('n\nlast'))
  buffer.end()
  expect(buffer.lines()).toEqual([
    { number: 0, isError: true, text: 'oh' },
    { number: 1, isError: false, text: 'grün' },
    { number: 2, isError: false, text: 'last' },
  ])
})

test('only the last are kept, under their own numbers', () => {
  const buffer = new LogBuffer(1000)
  for (let n = 0; n < 10_000; n += 1) buffer.push(1, bytes(`${n}\n`))
  expect(buffer.lines()).toHaveLength(1000)
  expect(buffer.lines()[0]).toMatchObject({ number: 9000, text: '9000' })
  expect(buffer.count).toBe(10_000)
})

test('megabytes without an end of line do not become one line', () => {
  const buffer = new LogBuffer(1000)
  for (let n = 0; n < 32; n += 1) buffer.push(1, bytes('x'.repeat(65_536)))
  buffer.push(1, bytes(`${'y'.repeat(20_000)}\n`))
  expect(Math.max(...texts(buffer).map((text) => text.length))).toBeLessThanOrEqual(8192)
  expect(buffer.lines().length).toBeLessThanOrEqual(1000)
})

test('a progress bar shows its last state', () => {
  const buffer = new LogBuffer(10)
  buffer.push(1, bytes('10 %\r50 %\r100 %\n\n'))
  expect(texts(buffer)).toEqual(['100 %', ''])
})

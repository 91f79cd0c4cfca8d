import { expect, test } from 'vitest'
import { spansOf } from './exposed-ports.ts'

const udp = (...ports: number[]) => ports.map((Port) => ({ Proto: 17, Port }))

test('neighbouring ports of one protocol are one rule', () => {
  expect(spansOf(udp(1236, 1234, 1238, 1235, 1237, 1235))).toEqual([
    { protocol: 'udp', ports: { min: 1234, max: 1238 } },
  ])
})

test('gaps and protocols are rules of their own; a protocol without ports is one', () => {
  const exposed = [{ Proto: 6, Port: 80 }, ...udp(80, 82), { Proto: 6, Port: 81 }]
  expect(spansOf([...exposed, { Proto: 1, Port: 0 }, { Proto: 1, Port: 8 }, { Proto: 47, Port: 0 }])).toEqual([
    { protocol: 'icmp', ports: null },
    { protocol: 'tcp', ports: { min: 80, max: 81 } },
    { protocol: 'udp', ports: { min: 80, max: 80 } },
    { protocol: 'udp', ports: { min: 82, max: 82 } },
    { protocol: '47', ports: null },
  ])
})

test('nothing exposed needs no rule', () => {
  expect(spansOf([])).toEqual([])
})

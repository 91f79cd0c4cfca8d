import { expect, test } from 'vitest'
import { collectPublished } from './publish-option.ts'

const tcp = (containerPort: number, publicPort?: number) => ({
  containerPort,
  protocol: 'tcp' as const,
  ...(publicPort !== undefined && { publicPort }),
})

test.each([
  ['80', [tcp(80)]],
  ['8080:80', [tcp(80, 8080)]],
  [':80', [tcp(80)]],
  ['pub:222:22', [tcp(22, 222)]],
  ['pub::22', [tcp(22)]],
  ['0.0.0.0:222:22/tcp', [tcp(22, 222)]],
  ['53:53/udp', [{ containerPort: 53, publicPort: 53, protocol: 'udp' }]],
  ['172.24.4.9:80:8080', [{ ...tcp(8080, 80), address: '172.24.4.9' }]],
  ['7000-7001', [tcp(7000), tcp(7001)]],
  ['8000-8002:80-82', [tcp(80, 8000), tcp(81, 8001), tcp(82, 8002)]],
])('%s', (text, ports) => {
  expect(collectPublished(text, [tcp(1)])).toEqual([tcp(1), ...ports])
})

test.each([
  '',
  'http',
  '0',
  '70000',
  '9-8',
  '80/icmp',
  '80/tcp/udp',
  '80-81:80',
  '80:80-81',
  'a:b:c',
  'host:1:1',
  '1:2:3:4',
])('%s is refused with a sentence', (text) => {
  expect(() => collectPublished(text)).toThrow(/^[A-Z].*\.$/)
})

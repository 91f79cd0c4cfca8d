import fc from 'fast-check'

/** Longer than any field may be. */
export const huge = 'x'.repeat(70_000)
const noString = fc.oneof(
  fc.integer(),
  fc.boolean(),
  fc.constant({}),
  fc.constant([]),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
)
const noNumber = fc.oneof(
  fc.boolean(),
  fc.constantFrom<unknown>({}, [], [1], 'abc', '', '1e1', '0x10', '1 ', '-', '512M', huge),
)
const noList = fc.oneof(
  fc.integer({ min: 1 }),
  fc.boolean(),
  fc.constantFrom<unknown>('text', { a: 1 }, [1], [null], [{}]),
)
const noMap = fc.oneof(fc.integer(), fc.boolean(), fc.constantFrom<unknown>('text', '', [], [1]))
const noBoolean = fc.oneof(
  fc.integer({ min: 2 }),
  fc.constantFrom<unknown>('maybe', '', {}, [], null, huge, 0.5, 'Truee'),
)
const notIn = (min: number, max: number) =>
  fc.oneof(
    fc.double({ max: min - 0.01, noNaN: true, noDefaultInfinity: true }),
    fc.double({ min: max + 0.01, noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom<unknown>(String(max + 1), '0', '-1', '9'.repeat(30)),
  )
const badName = fc.constantFrom<unknown>(
  '',
  'a',
  '-ab',
  '.ab',
  'a b',
  'a/b',
  'a\nb',
  'ab\n',
  'ä1',
  huge,
  'x'.repeat(256),
)

/** For each create field: values that no version may take. null is left out where it means "the default". */
export const badFields: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  name: fc.oneof(noString, badName),
  image: fc.oneof(noString, fc.constantFrom<unknown>(null, '', 'a', '//', 'a b', ' ', 'busybox\0', huge)),
  command: fc.oneof(fc.integer(), fc.boolean(), fc.constantFrom<unknown>({}, 'sh', [1], [null], ['a\0'], [[]])),
  entrypoint: fc.oneof(noList, fc.constant(['a\0'])),
  cpu: fc.oneof(noNumber, notIn(0.1, 16)),
  cpu_policy: fc.oneof(noString, fc.constantFrom<unknown>('', 'exclusive', huge)),
  memory: fc.oneof(noNumber, notIn(4, 8192), fc.constantFrom<unknown>(4.5, '64.5')),
  disk: fc.oneof(noNumber, notIn(1, 160), fc.constantFrom<unknown>(1.5)),
  workdir: fc.oneof(noString, fc.constantFrom<unknown>('relative', '/a\0', huge)),
  environment: fc.oneof(
    noMap,
    fc.constantFrom<unknown>({ A: 1 }, { A: null }, { A: {} }, { '': 'x' }, { 'A=B': 'x' }, { A: '\0' }, { A: huge }),
  ),
  labels: noMap,
  hints: noMap,
  image_pull_policy: fc.oneof(noString, fc.constantFrom<unknown>('', 'sometimes', huge)),
  image_driver: fc.oneof(noString, fc.constantFrom<unknown>('', 'podman', huge)),
  restart_policy: fc.oneof(
    noMap,
    fc.constantFrom<unknown>(
      {},
      { Name: 'never' },
      { Name: null },
      { MaximumRetryCount: 1 },
      { Name: 'always', Count: 1 },
    ),
    fc.constantFrom<unknown>(
      { Name: 'always', MaximumRetryCount: 1 },
      { Name: 'unless-stopped', MaximumRetryCount: '3' },
      { Name: 'on-failure', MaximumRetryCount: -1 },
      { Name: 'on-failure', MaximumRetryCount: 'x' },
      { Name: 'on-failure', MaximumRetryCount: 1.5 },
      { Name: 'on-failure', MaximumRetryCount: 1e12 },
    ),
  ),
  interactive: noBoolean,
  tty: noBoolean,
  auto_remove: fc.oneof(fc.integer(), fc.constantFrom<unknown>('true', 'True', {}, [])),
  auto_heal: noBoolean,
  privileged: noBoolean,
  security_groups: fc.oneof(noList, fc.constantFrom<unknown>([''], [huge], {})),
  exposed_ports: fc.oneof(
    noMap,
    fc.constantFrom<unknown>(
      { x: {} },
      { '80/sctp': {} },
      { '0': {} },
      { '65536': {} },
      { '80': 1 },
      { '80': { a: 1 } },
      { '': {} },
    ),
  ),
  nets: fc.oneof(
    noList,
    fc.constantFrom<unknown>([{ network: 'a', port: 'b' }], [{ network: 'a', more: 1 }], [{ network: '' }]),
    fc.constantFrom<unknown>([{ network: 'a', 'v4-fixed-ip': 'x' }], [{ 'v6-fixed-ip': '::1' }], [{ network: 1 }]),
    fc.constantFrom<unknown>(
      [{ network: 'a', 'v4-fixed-ip': '10.0.0.256' }],
      [{ network: 'a', 'v6-fixed-ip': '10.0.0.1' }],
      [{ network: 'a', 'v6-fixed-ip': 'fe80::1%eth0' }],
      [{ port: 'p', 'v4-fixed-ip': '10.0.0.1' }],
      [{ network: huge }],
      [{ network: 'a\0' }],
    ),
  ),
  mounts: fc.oneof(
    noList,
    fc.constantFrom<unknown>(
      [{ destination: '/d' }],
      [{ source: 's' }],
      [{ source: 's', destination: '/d', type: 'tmpfs' }],
    ),
    fc.constantFrom<unknown>(
      [{ size: 0, destination: '/d' }],
      [{ size: 'x', destination: '/d' }],
      [{ size: 1e9, destination: '/d' }],
      [{ size: 1, source: 's', destination: '/d' }],
      [{ size: 1, destination: '/d', type: 'bind' }],
      [{ source: 'no base64', destination: '/d', type: 'bind' }],
    ),
    fc.constantFrom<unknown>(
      [{ source: 's', destination: 'relative' }],
      [{ source: 's', destination: '/' }],
      [{ source: 's', destination: '//' }],
      [{ source: 's', destination: '/a\0' }],
      [{ source: huge, destination: `/${huge}` }],
      [{ source: 's', destination: '/d', more: 1 }],
      [
        { source: 's', destination: '/d' },
        { source: 't', destination: '/d' },
      ],
    ),
  ),
  runtime: fc.oneof(noString, fc.constantFrom<unknown>('a\0', huge)),
  hostname: fc.oneof(noString, fc.constantFrom<unknown>('', 'a b', 'a_$', 'a\n', 'x'.repeat(256), huge)),
  healthcheck: fc.oneof(
    noMap,
    fc.constantFrom<unknown>(
      {},
      { cmd: '' },
      { cmd: 1 },
      { interval: 1 },
      { cmd: 'x', interval: -1 },
      { cmd: 'x', retries: '1s' },
    ),
    fc.constantFrom<unknown>(
      { cmd: 'x', timeout: 1.5 },
      { cmd: 'x', timeout: 1e9 },
      { cmd: 'x', start: 1 },
      { cmd: 'x', interval: null },
    ),
  ),
  availability_zone: fc.oneof(noString, fc.constantFrom<unknown>('', huge)),
  registry: fc.oneof(noString, badName),
  host: fc.oneof(noString, fc.constantFrom<unknown>('', 'a b', huge)),
}

import { afterEach, describe, expect, test, vi } from 'vitest'
import { Failure } from '../failure.ts'
import { createProgram } from '../program.ts'
import { ruleFields, ruleText } from './secgroup-rule.ts'

describe('the words of a rule', () => {
  test.each([
    [
      'tcp',
      '80',
      { ingress: true, from: '0.0.0.0/0' },
      { direction: 'ingress', portMin: 80, portMax: 80, remotePrefix: '0.0.0.0/0' },
    ],
    ['TCP', '8000-8080', {}, { direction: 'ingress', protocol: 'tcp', portMin: 8000, portMax: 8080 }],
    ['any', undefined, { fromGroup: 'web' }, { protocol: null, remoteGroup: 'web' }],
    ['icmp', '8', {}, { protocol: 'icmp', portMin: 8, portMax: null }],
    ['icmp', '3-4', {}, { portMin: 3, portMax: 4 }],
    ['udp', '53', { egress: true, to: '10.0.0.0/8' }, { direction: 'egress', remotePrefix: '10.0.0.0/8' }],
    ['tcp', '22', { ipv6: true }, { version: 6 }],
  ])('%s %s %j', (protocol, ports, options, fields) => {
    expect(ruleFields(protocol, ports, options)).toMatchObject(fields)
  })

  test.each([
    [{}, 'in   anything from anywhere'],
    [{ protocol: 'tcp', portMin: 80, portMax: 80, remotePrefix: '10.0.0.0/8' }, 'in   tcp 80 from 10.0.0.0/8'],
    [{ protocol: 'udp', portMin: 1, portMax: 9, remoteGroupId: 'g' }, 'in   udp 1-9 from group named g'],
    [{ version: 6, remoteGroupId: 'g' } as const, 'in   anything from group named g (IPv6)'],
    [{ direction: 'egress', version: 6 } as const, 'out  anything to anywhere (IPv6)'],
  ])('%j reads %s', (rule, text) => {
    const anything = { protocol: null, portMin: null, portMax: null, remotePrefix: null, remoteGroupId: null }
    const whole = { id: 'r', direction: 'ingress', version: 4, ...anything, ...rule } as const
    expect(ruleText(whole, (id) => `named ${id}`)).toBe(text)
  })
})

describe('a mistake in the command line is said before anybody is asked', () => {
  afterEach(() => {
    vi.restoreAllMocks()
    vi.unstubAllEnvs()
  })

  test.each([
    'network create shop --dns 10.0.0.1',
    'network attach web',
    'network attach web shop --port p1',
    'network detach web',
    'subnet create shop 10.0.0.0/8 --pool 10.0.0.1',
    'port set p1',
    'port set p1 --filtered --unfiltered',
    'secgroup rule add web tcp eighty',
    'secgroup rule add web --egress --from 0.0.0.0/0',
    'secgroup rule add web --ingress --egress',
    'secgroup rule add web --to 0.0.0.0/0',
    'secgroup rule add web --from 0.0.0.0/0 --from-group web',
    'router attach r1',
    'floating-ip forward 172.24.4.9 80 --container web',
    'volume create data',
    'volume create data --size big',
    'volume create data --snapshot a --from-volume b',
    'volume extend data',
    'run --mount type=bind,source=/etc,target=/etc nginx',
    'capsule create',
    'capsule create -f /nowhere/at/all',
    'run --mount data nginx',
    'run --mount source=data nginx',
    'run --mount source=a,size=1,target=/x nginx',
    'run --mount source=a,target=/x,mode=1 nginx',
    'run --mount file=/nowhere/at/all,target=/x nginx',
    'run --net shop,mac=1 nginx',
    'run --net port=p1,ip=10.0.0.1 nginx',
    'run --expose http nginx',
    'run --health-retries 5 nginx',
  ])('%s', async (line) => {
    const words = line.split(' ')
    vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    // Nobody listens there: to ask would be another failure.
    vi.stubEnv('OS_AUTH_URL', 'http://127.0.0.1:1')
    vi.stubEnv('OS_TOKEN', 'none')
    const program = await createProgram(words)
    const failure = await program.parseAsync(words, { from: 'user' }).then(
      () => undefined,
      (error: unknown) => error,
    )
    if (failure instanceof Failure) expect(failure.exitCode, failure.message).toBe(2)
    else expect(failure).toMatchObject({ name: 'CommanderError', exitCode: 1 })
  })
})

import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { parse } from 'yaml'
import { expect, test } from 'vitest'
import { dockerRun, heatTemplate, type Names, openstackRun } from './commands.ts'
import { newDraft } from './draft.ts'
import { quotedLine, wordsOfLine } from './shell-words.ts'
import { wantedOf } from './wanted.ts'

const names: Names = { network: (id) => `net-${id}`, volume: (id) => `vol-${id}` }
const full = {
  ...newDraft,
  image: 'nginx:1',
  name: 'web',
  zone: 'az 2',
  disk: '5',
  nets: [{ network: 'n1', address: '10.7.0.9' }],
  groups: ['g1'],
  ports: '80',
  publish: [
    { publicPort: '8080', containerPort: '80', protocol: 'tcp' as const },
    { publicPort: '', containerPort: '53', protocol: 'udp' as const },
  ],
  mounts: [
    { volume: 'v1', size: '', destination: '/data', readOnly: true },
    { volume: '', size: '3', destination: '/scratch', readOnly: false },
  ],
  environment: [{ key: 'WORDS', value: "it's $HOME" }],
  labels: [{ key: 'tier', value: 'front' }],
  command: `sh -c "echo 'a b'"`,
  restart: 'on-failure' as const,
  retries: '3',
}

/** What a real shell makes of a line whose command prints its words. */
function readByShell(line: string, command: string): string[] {
  const script = `${command}() { printf '%s\\0' "$@"; }\n${line}`
  return execFileSync('sh', ['-c', script], { encoding: 'utf8' }).split('\0').slice(0, -1)
}

test('docker run asks for the same', () => {
  expect(readByShell(dockerRun(wantedOf(full), names), 'docker')).toEqual([
    'run',
    '-d',
    '--name',
    'web',
    '--cpus',
    '0.5',
    '--memory',
    '512m',
    '--network',
    'name=net-n1,ip=10.7.0.9',
    '--expose',
    '80/tcp',
    '--publish',
    '8080:80',
    '--publish',
    '53/udp',
    '--mount',
    'type=volume,source=vol-v1,target=/data,readonly',
    '--mount',
    'type=volume,target=/scratch,volume-opt=size=3G',
    '--env',
    "WORDS=it's $HOME",
    '--label',
    'tier=front',
    '--restart',
    'on-failure:3',
    'nginx:1',
    'sh',
    '-c',
    "echo 'a b'",
  ])
})

test('openstack appcontainer run asks for the same', () => {
  expect(readByShell(openstackRun(wantedOf(full), names), 'openstack')).toEqual([
    'appcontainer',
    'run',
    '--name',
    'web',
    '--cpu',
    '0.5',
    '--memory',
    '512',
    '--disk',
    '5',
    '--availability-zone',
    'az 2',
    '--net',
    'network=net-n1,v4-fixed-ip=10.7.0.9',
    '--security-group',
    'g1',
    '--mount',
    'source=vol-v1,destination=/data',
    '--mount',
    'size=3,destination=/scratch',
    '--environment',
    "WORDS=it's $HOME",
    '--label',
    'tier=front',
    '--restart',
    'on-failure:3',
    'nginx:1',
    'sh',
    '-c',
    "echo 'a b'",
  ])
})

test('the template asks for the same', () => {
  expect(parse(heatTemplate(wantedOf(full), names))).toEqual({
    heat_template_version: '2018-08-31',
    resources: {
      containers: {
        type: 'OS::Zun::Container',
        properties: {
          name: 'web',
          image: 'nginx:1',
          cpu: 0.5,
          memory: 512,
          command: `sh -c 'echo '\\''a b'\\'''`,
          environment: { WORDS: "it's $HOME" },
          labels: { tier: 'front' },
          networks: [{ network: 'net-n1', fixed_ip: '10.7.0.9' }],
          security_groups: ['g1'],
          mounts: [
            { volume_id: 'v1', mount_path: '/data' },
            { volume_size: 3, mount_path: '/scratch' },
          ],
          restart_policy: 'on-failure:3',
        },
      },
    },
  })
})

test('what only Docker can say is told, not left out in silence', () => {
  const wanted = wantedOf({ ...full, groups: [] })
  const words = readByShell(openstackRun(wanted, names), 'openstack')
  expect(words.filter((_, at) => words[at - 1] === '--expose-port')).toEqual(['80/tcp', '53/udp'])
  for (const text of [openstackRun(wanted, names), heatTemplate(wanted, names)]) {
    expect(text).toMatch(/^# Published ports \(8080:80, 53\/udp\) cannot be said here: .*\.\n/)
    expect(text).not.toContain('--publish')
  }
})

test('many are a loop, or a group', () => {
  const many = wantedOf({ ...newDraft, image: 'nginx', name: 'web', count: '2' })
  const words = readByShell(dockerRun(many, names), 'docker')
  expect(words.filter((word) => word.startsWith('web'))).toEqual(['web-1', 'web-2'])
  expect(parse(heatTemplate(many, names)).resources.containers).toMatchObject({
    type: 'OS::Heat::ResourceGroup',
    properties: { count: 2, resource_def: { type: 'OS::Zun::Container', properties: { name: 'web-%index%' } } },
  })
})

const text = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((one) => !one.includes('\0') && one.isWellFormed())

test('whatever was typed, a shell and YAML read it back as it was and run none of it', () => {
  fc.assert(
    fc.property(
      fc.array(text, { minLength: 1, maxLength: 4 }),
      text,
      fc.constantFrom('1', '2'),
      (words, value, count) => {
        const evil = [`${value}$(touch /tmp/d2-ran)\`id\``, `${value}'"\\ N `]
        const environment = evil.map((each, index) => ({ key: `K${index}`, value: each }))
        const command = quotedLine(words)
        const wanted = wantedOf({ ...newDraft, image: 'busybox', name: 'x y$(id)', count, environment, command })
        expect(wordsOfLine(command)).toEqual(words)
        const read = readByShell(openstackRun(wanted, names), 'openstack')
        for (const each of evil) expect(read.filter((word) => word.endsWith(`=${each}`))).toHaveLength(Number(count))
        expect(read.slice(-words.length)).toEqual(words)
        expect(read[3]).toBe(count === '1' ? 'x y$(id)' : 'x y$(id)-1')
        expect(JSON.stringify(parse(heatTemplate(wanted, names)))).toContain(JSON.stringify(evil[0]).slice(1, -1))
      },
    ),
    { numRuns: 25 },
  )
})

test.each([
  ['', []],
  ['  a  b ', ['a', 'b']],
  [`a 'b c' "d 'e'" f\\ g`, ['a', 'b c', "d 'e'", 'f g']],
  [`"" ''`, ['', '']],
  [`"\\n \\"x\\""`, ['\\n "x"']],
  [`'open`, null],
  [`"open`, null],
  ['a\\', null],
])('the words of %j are %j', (line, words) => {
  expect(wordsOfLine(line)).toEqual(words)
})

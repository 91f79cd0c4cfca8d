import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Gantry, type Session, startGantry } from '../fixtures/gantry.ts'

const run = promisify(execFile)

let gantry: Gantry
let demo: Session
beforeAll(async () => {
  gantry = await startGantry()
  demo = await gantry.logIn('demo')
}, 600_000)
afterAll(async () => gantry[Symbol.asyncDispose]())

/** Output of a docker command that must succeed. */
async function docker(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await gantry.docker(args, { session: demo })
  if (code !== 0) throw new Error(`docker ${args.join(' ')}: ${stderr}`)
  return stdout.trim()
}

/** What one that must fail says. */
async function refusal(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await gantry.docker(args, { session: demo })
  if (code === 0) throw new Error(`docker ${args.join(' ')} did not fail: ${stdout}`)
  return stderr
}

/** Without wget: busybox's own ends in a segmentation fault now and then. */
const fetchOf = (name: string) =>
  `{ to=$(nslookup ${name} 2>/dev/null | awk '/^Name/ {getline; print $2; exit}'); [ "$to" ] && printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 5 $to 80 | tail -n 1; }`
const patience = { timeout: 20_000 }

const serve = (text: string) => ['sh', '-c', `mkdir -p /w; echo ${text} > /w/index.html; exec httpd -f -h /w`]

/** A page as somebody outside of the cloud sees it. */
async function page(address: string): Promise<string> {
  const args = [
    `--net=${gantry.engine.netns}`,
    'curl',
    '-sS',
    '--noproxy',
    '*',
    '--max-time',
    '5',
    `http://${address}/`,
  ]
  return run('nsenter', args).then(
    ({ stdout }) => stdout.trim(),
    () => '',
  )
}

async function publicAddress(container: string): Promise<string> {
  return /-> (\S+)/.exec(await docker('port', container))?.[1] ?? ''
}

test('a published port leads to its container, and goes over to the next one once that has stopped', async () => {
  await docker('run', '-d', '--name', 'web', '-p', '8080:80', 'busybox:latest', ...serve('first'))
  const address = await publicAddress('web')
  expect(address).toMatch(/^172\.24\.4\.\d+:8080$/)
  await expect.poll(() => page(address), patience).toBe('first')
  expect(await docker('ps', '--format', '{{.Ports}}')).toBe(`${address}->80/tcp`)
  expect((await demo.native('GET', '/containers/web')).json['ports']).toEqual([`${address}->80/tcp`])

  expect(await refusal('run', '-d', '--name', 'next', '-p', '8080:80', 'busybox:latest', ...serve('second'))).toContain(
    'driver failed programming external connectivity on endpoint next: Bind for 0.0.0.0:8080 failed: port is already allocated',
  )
  await docker('stop', '-t', '0', 'web')
  await docker('start', 'next')
  await expect.poll(() => page(address), patience).toBe('second')
  expect(await refusal('start', 'web')).toContain('port is already allocated')
  await docker('rm', '-f', 'next')
  await docker('start', 'web')
  await expect.poll(() => page(address), patience).toBe('first')
  await docker('restart', '-t', '0', 'web')
  await expect.poll(() => page(address), patience).toBe('first')

  await docker('run', '-d', '-P', '--expose', '80', '--name', 'any', 'busybox:latest', ...serve('any'))
  const chosen = await publicAddress('any')
  expect(chosen).toMatch(/:32768$/)
  await expect.poll(() => page(chosen), patience).toBe('any')
  const loopback = await refusal('run', '--rm', '-p', '127.0.0.1:81:80', 'busybox:latest', 'true')
  expect(loopback).toContain('PortBindings.HostIp 127.0.0.1 is not allowed by this service')
  await docker('rm', '-f', 'web', 'any')
  expect(await page(address)).toBe('')
}, 120_000)

test('containers of a network find each other by name, alias, link and id, and by no other network', async () => {
  await docker('network', 'create', 'front')
  await docker('network', 'create', '--internal', '--label', 'a=b', 'inner')
  expect(await refusal('network', 'create', 'front')).toContain('network with name front already exists')
  const created = await docker(
    'run',
    '-d',
    '--name',
    'db',
    '--network',
    'front',
    '--network-alias',
    'base',
    'busybox:latest',
    ...serve('db'),
  )
  const fetch = (network: string, ...names: string[]) => [
    'run',
    '--rm',
    '--network',
    network,
    'busybox:latest',
    'sh',
    '-c',
    names.map((name) => `${fetchOf(name)} || echo none`).join('; '),
  ]
  expect(await docker(...fetch('front', 'db', 'base', created.slice(0, 12)))).toBe('db\ndb\ndb')
  const linked = [
    'run',
    '--rm',
    '--network',
    'front',
    '--link',
    'db:other',
    'busybox:latest',
    'wget',
    '-qO-',
    'http://other/',
  ]
  expect(await docker(...linked)).toBe('db')
  expect(await docker(...fetch('bridge', 'db'))).toBe('none')

  await docker('network', 'connect', '--alias', 'deep', 'inner', 'db')
  expect(await docker(...fetch('inner', 'deep'))).toBe('db')
  expect(await docker('run', '--rm', '--network', 'inner', 'busybox:latest', 'ip', 'route')).not.toContain('default')
  expect(await refusal('network', 'connect', 'inner', 'db')).toContain('already exists in network inner')
  expect(
    await docker(
      'network',
      'inspect',
      '-f',
      '{{range .Containers}}{{.Name}}{{end}} {{.Internal}} {{.Labels}}',
      'inner',
    ),
  ).toBe('db true map[a:b]')
  expect(await refusal('network', 'rm', 'inner')).toContain('has active endpoints')
  await docker('network', 'disconnect', 'inner', 'db')
  expect(await refusal('network', 'disconnect', 'inner', 'db')).toContain('is not connected to network inner')
  await docker('network', 'rm', 'inner')
  expect(await refusal('network', 'rm', 'bridge')).toContain('bridge is a pre-defined network and cannot be removed')
  await docker('rm', '-f', 'db')
  await docker('network', 'rm', 'front')
  expect((await docker('network', 'ls', '--format', '{{.Name}}')).split('\n').toSorted()).toEqual(['bridge', 'none'])
}, 120_000)

test('one that has not started is plugged as it is asked, in no network too', async () => {
  await docker('network', 'create', '--subnet', '10.77.0.0/24', 'fixed')
  await docker('create', '--name', 'still', '--network', 'fixed', '--ip', '10.77.0.50', 'busybox:latest', 'sleep', '60')
  await docker('network', 'disconnect', 'fixed', 'still')
  await docker('start', 'still')
  expect(await docker('exec', 'still', 'ip', '-o', '-4', 'addr')).not.toContain('eth')
  await docker('network', 'connect', '--ip', '10.77.0.50', 'fixed', 'still')
  expect(await docker('exec', 'still', 'ip', '-o', '-4', 'addr')).toContain('10.77.0.50/24')
  const asked = ['--network', 'fixed', '--ip', '10.77.0.50', 'busybox:latest', 'ip', '-o', '-4', 'addr']
  expect(await refusal('run', '--rm', ...asked)).toContain('Address already in use')
  await docker('stop', '-t', '0', 'still')
  expect(await docker('run', '--rm', ...asked)).toContain('10.77.0.50/24')
  await docker('start', 'still')
  expect(await docker('exec', 'still', 'ip', '-o', '-4', 'addr')).toMatch(/10\.77\.0\.(?!50)\d+\/24/)
  expect(await docker('run', '--rm', '--network', 'none', 'busybox:latest', 'ip', 'link')).not.toContain('eth')
  await docker('rm', '-f', 'still')
  expect(await docker('network', 'prune', '-f')).toContain('fixed')
}, 120_000)

test('a volume is shared by containers of one host, and stays until the last has gone', async () => {
  await docker('volume', 'create', '-o', 'size=1G', 'data')
  const sleeper = ['busybox:latest', 'sleep', '60']
  await docker('run', '-d', '--name', 'one', '-v', 'data:/data', '-v', '/anonymous', ...sleeper)
  await docker('run', '-d', '--name', 'two', '--mount', 'type=volume,src=data,dst=/data,readonly', ...sleeper)
  await docker('exec', 'one', 'sh', '-c', 'echo note > /data/f')
  expect(await docker('exec', 'two', 'cat', '/data/f')).toBe('note')
  expect(await refusal('exec', 'two', 'touch', '/data/g')).toContain('Read-only')
  expect(await docker('volume', 'ls', '-q', '-f', 'dangling=false')).toMatch(
    /^[0-9a-f]{32}\ndata$|^data\n[0-9a-f]{32}$/,
  )
  expect(await refusal('volume', 'rm', 'data')).toMatch(
    /remove data: volume is in use - \[[0-9a-f]{64}, [0-9a-f]{64}\]/,
  )
  await docker('rm', '-f', 'one')
  expect(await docker('exec', 'two', 'cat', '/data/f')).toBe('note')
  await docker('rm', '-f', 'two')
  expect(await docker('run', '--rm', '-v', 'data:/data', 'busybox:latest', 'cat', '/data/f')).toBe('note')
  await docker('volume', 'rm', 'data')
  await expect.poll(() => docker('volume', 'ls', '-q'), patience).toBe('')
  expect(await refusal('volume', 'inspect', 'data')).toContain('get data: no such volume')
}, 120_000)

test('an empty volume begins with what the image has at its place', async () => {
  const count = ['sh', '-c', 'ls /bin | wc -l']
  const all = await docker('run', '--rm', 'busybox:latest', ...count)
  // Without it there would be no shell in there.
  const changed = ['-v', 'programs:/bin', 'busybox:latest', 'sh', '-c', 'ls /bin | wc -l; echo mine > /bin/mine']
  expect(await docker('run', '--rm', ...changed)).toBe(all)
  expect(await docker('run', '--rm', '-v', 'programs:/bin', 'busybox:latest', 'cat', '/bin/mine')).toBe('mine')
  expect(await refusal('run', '--rm', '-v', 'none:/bin:nocopy', 'busybox:latest', ...count)).toContain('not found')
  await docker('volume', 'prune', '-af')
}, 120_000)

import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { dockerConfig, type Gantry, type Session, startGantry } from '../fixtures/gantry.ts'

const run = promisify(execFile)

let gantry: Gantry
let demo: Session
beforeAll(async () => {
  gantry = await startGantry()
  demo = await gantry.logIn('demo')
}, 600_000)
afterAll(async () => gantry[Symbol.asyncDispose]())

async function docker(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await gantry.docker(args, { session: demo })
  if (code !== 0) throw new Error(`docker ${args.join(' ')}: ${stderr}`)
  return stdout.trim()
}

async function refusal(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await gantry.docker(args, { session: demo })
  if (code === 0) throw new Error(`docker ${args.join(' ')} did not fail: ${stdout}`)
  return stderr
}

async function cli(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await gantry.cli(args)
  if (code !== 0) throw new Error(`gantry ${args.join(' ')}: ${stderr}`)
  return stdout.trim()
}

const json = async (...args: string[]) => JSON.parse(await cli(...args, '--json'))
const patience = { timeout: 30_000 }
const busybox = 'busybox:latest'

test('Fuxi and its options make a volume of this cloud, and what the cloud has not is refused by name', async () => {
  const create = ['volume', 'create', '--driver', 'fuxi', '--name']
  expect(await docker(...create, 'decks', '--opt', 'size=2', '--opt', 'fstype=ext4')).toBe('decks')
  expect(await docker('volume', 'ls', '-f', 'driver=fuxi', '--format', '{{.Name}} {{.Driver}}')).toBe('decks fuxi')
  const [shown] = JSON.parse(await docker('volume', 'inspect', 'decks'))
  expect(shown).toMatchObject({
    Driver: 'fuxi',
    Scope: 'local',
    Options: { size: '2', fstype: 'ext4' },
    Status: { provider: 'local', size: '2GiB', status: 'available', containers: [] },
  })
  expect(shown.Options).not.toHaveProperty('gantry.driver')

  const deck = [
    '--opt',
    'size=1',
    '--opt',
    'fstype=ext4',
    '--opt',
    'multiattach=true',
    '--opt',
    'volume_provider=cinder',
  ]
  expect(await refusal(...create, 'my_vol', ...deck)).toContain('This cloud has no cinder')
  expect(await refusal(...create, 'my_vol', '--opt', 'volume_provider=manila')).toContain('This cloud has no manila')
  expect(await refusal(...create, 'decks', '--opt', 'volume_provider=cinder')).toContain('a volume of that name exists')
  expect(await refusal(...create, 'my_vol', '--opt', 'size=abc')).toContain('"size" must be like 10')
  expect(await refusal(...create, 'my_vol', '--opt', 'device=/dev/sda')).toContain('DriverOpts device is not allowed')
  expect(await refusal('volume', 'create', '--driver', 'nfs', 'my_vol')).toContain('Driver nfs is not allowed')
  const { Status } = shown
  expect(await docker(...create, 'decks', '--opt', `volume_id=${Status.id}`)).toBe('decks')
  expect(await refusal(...create, 'other', '--opt', `volume_id=${Status.id}`)).toContain('is called decks')
  expect(await docker('volume', 'ls', '-q')).toBe('decks')
  expect(await docker('volume', 'rm', 'decks')).toBe('decks')
}, 120_000)

test('a container names driver and options of a volume that is not there yet', async () => {
  const options = 'type=volume,volume-driver=fuxi,volume-opt=size=3,src=asked,dst=/a'
  await docker(
    'run',
    '-d',
    '--name',
    'asker',
    '--mount',
    options,
    '--volume-driver',
    'fuxi',
    '-v',
    'bound:/b',
    busybox,
    'sleep',
    '100',
  )
  const seen = '{{.Name}} {{.Driver}} {{.Status.size}} {{.Status.containers}}'
  expect(await docker('volume', 'inspect', '-f', seen, 'asked', 'bound')).toBe(
    'asked fuxi 3GiB [asker]\nbound fuxi 1GiB [asker]',
  )
  const mounts = await docker('inspect', '-f', '{{range .Mounts}}{{.Name}}={{.Driver}} {{end}}', 'asker')
  expect(mounts.split(' ').sort()).toEqual(['asked=fuxi', 'bound=fuxi'])
  expect(await refusal('volume', 'rm', 'asked')).toMatch(/remove asked: volume is in use - \[[0-9a-f]{64}\]/)
  await docker('rm', '-f', 'asker')
  await docker('volume', 'rm', 'asked', 'bound')
}, 120_000)

test('a volume that a capsule has is neither dangling nor removed', async () => {
  await docker('volume', 'create', 'caps')
  const template = {
    metadata: { name: 'pod' },
    spec: {
      containers: [{ image: busybox, command: ['sleep', '300'], volumeMounts: [{ name: 'v', mountPath: '/v' }] }],
      volumes: [{ name: 'v', cinder: { volumeID: 'caps' } }],
    },
  }
  const made = await demo.native('POST', '/capsules', { template })
  expect(made.status, made.text).toBe(202)
  expect(await docker('volume', 'ls', '-q', '-f', 'dangling=true')).not.toContain('caps')
  expect(await refusal('volume', 'rm', 'caps')).toMatch(/remove caps: volume is in use - \[[0-9a-f]{64}\]/)
  const { mounts } = await json('volume', 'show', 'caps')
  expect(mounts).toMatchObject([{ destination: '/v' }])
  await demo.native('DELETE', '/capsules/pod')
  await expect.poll(async () => (await json('volume', 'show', 'caps')).status, patience).toBe('available')
  await docker('volume', 'rm', 'caps')
}, 120_000)

test('a volume grows in use, is cloned, kept in a snapshot and a backup, and comes back from each', async () => {
  await cli('volume', 'create', 'data', '--size', '1')
  await cli('run', '-d', '--name', 'keeper', '--mount', 'type=volume,source=data,target=/data', busybox, 'sleep', '300')
  const inside = (line: string) => cli('exec', 'keeper', 'sh', '-c', line)
  await inside('echo one > /data/f; sync')
  expect(await cli('volume', 'show', 'data')).toMatch(/Mounted +keeper at \/data/)
  await cli('volume', 'snapshot', 'create', 'data', '--name', 'snap')
  await cli('volume', 'backup', 'create', 'data', '--name', 'away')
  await inside('echo two > /data/f; sync')
  await cli('volume', 'create', 'clone', '--from-volume', 'data')
  await cli('volume', 'create', 'restored', '--backup', 'away', '--size', '2')
  await docker('volume', 'create', '--driver', 'fuxi', '--opt', 'snapshot_id=snap', 'from-snap')
  await docker('volume', 'create', '--opt', 'source_volid=data', 'from-data')
  const read = (name: string) => docker('run', '--rm', '-v', `${name}:/v`, busybox, 'cat', '/v/f')
  expect(await Promise.all(['clone', 'restored', 'from-snap', 'from-data'].map(read))).toEqual([
    'two',
    'one',
    'one',
    'two',
  ])
  await cli('volume', 'extend', 'data', '--size', '2')
  expect(await json('volume', 'show', 'data')).toMatchObject({ size: 2, status: 'in-use' })
  await cli('rm', '-f', 'keeper')
  // Where the agent has no right to let it grow in use, it does so now.
  const room = ['sh', '-c', "df -k /v | awk 'END { print ($2 > 1500000) }'"]
  const roomOf = (name: string) => docker('run', '--rm', '-v', `${name}:/v`, busybox, ...room)
  await expect.poll(() => roomOf('data'), { timeout: 60_000, interval: 500 }).toBe('1')
  expect(await roomOf('restored')).toBe('1')
  await cli('volume', 'backup', 'delete', 'away')
  await docker('volume', 'rm', 'clone', 'restored', 'from-snap', 'from-data')
  await cli('volume', 'snapshot', 'delete', 'snap')
  await cli('volume', 'delete', 'data')
}, 300_000)

const composeFile = `
version: '2.4'
services:
  web:
    image: busybox
    command: sh -c 'cat /own/f /named/f /outer/f; for d in own named outer; do echo $$d > /$$d/f; done; exec sleep 1000'
    volumes: ['own:/own', 'named:/named', 'outer:/outer']
    stop_signal: KILL
volumes:
  own:
    driver: fuxi
    driver_opts: {size: '2'}
  named:
    name: shelf
    driver: local
  outer:
    external: true
    name: outer
`

test('Compose makes volumes by driver and options, finds them again, and leaves external ones alone', async () => {
  const folder = join(gantry.home, 'compose')
  await mkdir(folder)
  await writeFile(join(folder, 'docker-compose.yml'), composeFile)
  const { token, projectId } = demo
  const DOCKER_CONFIG = await dockerConfig(gantry.home, { 'X-Auth-Token': token, 'X-Auth-Project-Id': projectId })
  const { PATH = '' } = process.env
  const env = { PATH, HOME: folder, DOCKER_CONFIG, DOCKER_HOST: gantry.dockerUrl.replace('http:', 'tcp:') }
  const compose = async (...args: string[]) =>
    (await run('docker-compose', ['--ansi', 'never', '-p', 'shop', ...args], { cwd: folder, env })).stdout
  await expect(compose('up', '-d')).rejects.toThrow('outer declared as external, but could not be found')
  await docker('volume', 'create', 'outer')
  await compose('up', '-d')
  await compose('up', '-d')
  const seen = ['volume', 'inspect', '-f', '{{.Name}} {{.Driver}} {{.Status.size}}', 'outer', 'shelf', 'shop_own']
  expect(await docker(...seen)).toBe('outer local 10GiB\nshelf local 10GiB\nshop_own fuxi 2GiB')
  await compose('down', '-t', '0')
  await compose('up', '-d')
  await expect.poll(() => compose('logs', '--no-color'), patience).toMatch(/own[^]*named[^]*outer/)
  await compose('down', '-v', '-t', '0')
  const left = async () =>
    (await docker('volume', 'ls', '-q')).split('\n').filter((name) => /shop|shelf|outer/.test(name))
  await expect.poll(left, patience).toEqual(['outer'])
  await docker('volume', 'rm', 'outer')
}, 240_000)

const pythonSession = `
import docker, json
client = docker.from_env(timeout=60)
made = client.volumes.create("py", driver="fuxi", driver_opts={"size": "1"}, labels={"of": "py"})
client.containers.run("busybox", "sh -c 'echo kept > /v/f'", volumes={"py": {"bind": "/v"}}, remove=True)
said = client.containers.run("busybox", "cat /v/f", volumes={"py": {"bind": "/v", "mode": "ro"}}, remove=True)
found = [each.name for each in client.volumes.list(filters={"driver": "fuxi", "dangling": True})]
try:
    client.volumes.create("py2", driver="fuxi", driver_opts={"volume_provider": "cinder"})
except docker.errors.APIError as error:
    refused = [error.status_code, error.explanation]
made.remove()
print(json.dumps([made.attrs["Driver"], made.attrs["Options"], said.decode().strip(), found, refused]))
`

test('docker-py makes, lists and removes volumes by driver and options', async () => {
  const { token, projectId } = demo
  const DOCKER_CONFIG = await dockerConfig(gantry.home, { 'X-Auth-Token': token, 'X-Auth-Project-Id': projectId })
  const { PATH = '' } = process.env
  const env = { PATH, HOME: gantry.home, DOCKER_CONFIG, DOCKER_HOST: gantry.dockerUrl.replace('http:', 'tcp:') }
  const { stdout } = await run('/usr/bin/python3', ['-c', pythonSession], { env })
  expect(JSON.parse(stdout)).toEqual([
    'fuxi',
    { size: '1' },
    'kept',
    ['py'],
    [400, expect.stringContaining('This cloud has no cinder')],
  ])
}, 120_000)

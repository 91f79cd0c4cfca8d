import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Gantry, startGantry } from '../fixtures/gantry.ts'

/** A user's tour of networks, volumes and capsules with the `gantry` command line, against a real server, agent and engine. */
const run = promisify(execFile)
let gantry: Gantry

beforeAll(async () => {
  gantry = await startGantry()
})
afterAll(async () => {
  await gantry?.[Symbol.asyncDispose]()
})

/** What a command printed; fails with everything it said unless it ended with 0. */
async function ok(line: string, input?: string): Promise<string> {
  const { code, stdout, stderr } = await gantry.cli(line.split(' '), input === undefined ? {} : { input })
  if (code !== 0) throw new Error(`gantry ${line}: ${code}\n${stdout}${stderr}${await gantry.logs()}`)
  return stdout.trim()
}

async function show(line: string) {
  return JSON.parse(await ok(`${line} --json`))
}

/** Runs a container whose port 80 answers with its name. */
async function box(name: string, options: string): Promise<string> {
  const words = ['run', '-d', '--name', name, ...options.split(' '), 'busybox', 'sh', '-c']
  const { code, stderr } = await gantry.cli([...words, `while true; do nc -l -p 80 -e echo ${name}; done`])
  if (code !== 0) throw new Error(`${name}: ${code}\n${stderr}${await gantry.logs()}`)
  return (await show(`show ${name}`)).addresses[0].address
}

/** What answers inside, asked from a container; empty if nothing does. */
async function askFrom(container: string, address: string): Promise<string> {
  const { stdout } = await gantry.cli(['exec', container, 'nc', '-w', '1', address, '80'])
  return stdout.trim()
}

/** What answers, asked from where the engine is. */
async function askFromOutside(address: string, port = '80'): Promise<string> {
  const words = [`--net=${gantry.engine.netns}`, 'busybox', 'nc', '-w', '1', address, port]
  const { stdout } = await run('nsenter', words).catch(() => ({ stdout: '' }))
  return stdout.trim()
}

/** What a rule opens or closes on a host is so a moment after the answer. */
const soon = { timeout: 15_000, interval: 200 }

test('two containers on a network of their own, and who may reach them', async () => {
  await ok('network create shop --subnet 10.77.0.0/24')
  await ok('secgroup create inner')
  await ok('secgroup create front')
  const web = await box('web', '--net shop,ip=10.77.0.10 --security-group front')
  const db = await box('db', '--net shop --security-group inner')
  expect(web).toBe('10.77.0.10')
  expect(db).toMatch(/^10\.77\.0\./)
  expect(await ok('ps')).toMatch(/web.*10\.77\.0\.10/)
  expect(await askFrom('web', db)).toBe('')
  const rule = await ok('secgroup rule add inner tcp 80 --from-group front')
  await expect.poll(() => askFrom('web', db), soon).toBe('db')
  await ok(`secgroup rule remove inner ${rule}`)
  await expect.poll(() => askFrom('web', db), soon).toBe('')
  expect(await ok('network list')).toMatch(/shop +10\.77\.0\.0\/24 +own/)
  expect((await gantry.cli(['network', 'delete', 'shop'])).stderr).toMatch(/^gantry: The network shop is in use/)
})

test('a floating IP leads to a container, whole or by one port', async () => {
  await ok('router create out --gateway public --subnet shop')
  const address = await ok('floating-ip create --container web')
  expect(await askFromOutside(address)).toBe('')
  await ok('secgroup rule add front --ingress tcp 80 --from 0.0.0.0/0')
  await expect.poll(() => askFromOutside(address), soon).toBe('web')
  await ok(`floating-ip dissociate ${address}`)
  await expect.poll(() => askFromOutside(address), soon).toBe('')
  await ok(`floating-ip forward ${address} 8080:80 --container web`)
  await expect.poll(() => askFromOutside(address, '8080'), soon).toBe('web')
  expect(await ok('floating-ip list')).toContain('8080/tcp to 10.77.0.10:80')
  await ok(`floating-ip unforward ${address} 8080`)
  await ok(`floating-ip delete ${address}`)
})

test('a running container is plugged into another network and out again', async () => {
  await ok('network create back --subnet 10.78.0.0/24 --gateway none')
  expect(await ok('network attach web back --ip 10.78.0.7')).toBe('10.77.0.10\n10.78.0.7')
  const addressesIn = async () => (await gantry.cli(['exec', 'web', 'ip', '-4', 'address'])).stdout
  await expect.poll(addressesIn, soon).toContain('10.78.0.7/24')
  await ok('network detach web back')
  await expect.poll(addressesIn, soon).not.toContain('10.78.0.7')
  await ok('network delete back')
})

test('what is written to a volume outlives its container, and a snapshot keeps what was', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gantry-files-'))
  try {
    await writeFile(join(folder, 'greeting'), 'hello from a file\n')
    await ok('volume create data --size 1')
    const mount = `--mount source=data,target=/data --mount file=${folder}/greeting,target=/etc/greeting`
    const first = await gantry.cli(['run', '--rm', ...mount.split(' '), 'busybox', 'cp', '/etc/greeting', '/data/x'])
    expect(first).toMatchObject({ code: 0, stderr: '' })
    await ok('volume snapshot create data --name before')
    expect(await ok('run --rm --mount source=data,target=/data busybox cat /data/x')).toBe('hello from a file')
    expect(await ok('run --rm --mount source=data,target=/data busybox rm /data/x')).toBe('')
    await ok('volume create copy --snapshot before')
    expect(await ok('run --rm --mount src=copy,dst=/d,ro busybox cat /d/x')).toBe('hello from a file')
    const readOnly = await gantry.cli(['run', '--rm', '--mount', 'src=copy,dst=/d,ro', 'busybox', 'touch', '/d/y'])
    expect(readOnly.code).toBe(1)
    await ok('run --rm --mount size=1,target=/tmp/new busybox touch /tmp/new/x')
    expect(await ok('volume list')).toMatch(
      /^ID.*\n.* data +1 GiB +available +local +-\n.* copy +1 GiB +available +local +-$/,
    )
    expect((await gantry.cli(['volume', 'delete', 'data'])).stderr).toMatch(/^gantry: The volume data is in use/)
    await ok('volume snapshot delete before')
    await ok('volume delete data copy')
    expect(await show('volume list')).toEqual([])
  } finally {
    await rm(folder, { recursive: true })
  }
})

const template = `
kind: capsule
metadata: {name: pod, labels: {tier: front}}
spec:
  initContainers:
    - image: busybox
      command: [sh, -c, echo made ready > /seed/x]
      volumeMounts: [{name: seed, mountPath: /seed}]
  containers:
    - image: busybox
      command: [sh, -c, "while true; do nc -l -p 80 -e cat /www/x; done"]
      volumeMounts: [{name: seed, mountPath: /www, readOnly: true}]
    - image: busybox
      command: [sleep, "1000"]
      env: {LEVEL: 3}
  volumes:
    - {name: seed, cinder: {size: 1, autoRemove: true}}
  nets: [{network: shop}]
  securityGroups: [front]
`

test('the containers of a capsule share a network and a volume', async () => {
  const id = await ok('capsule create -f -', template)
  const { status, containers, addresses } = await show('capsule show pod')
  expect({ status, addresses }).toMatchObject({
    status: 'Running',
    addresses: [{ address: expect.stringMatching(/^10\.77\./) }],
  })
  expect(containers).toHaveLength(2)
  await expect.poll(() => askFrom(containers[1].id, '127.0.0.1'), soon).toBe('made ready')
  await expect.poll(() => askFrom('db', addresses[0].address), soon).toBe('made ready')
  expect(await ok('capsule list')).toMatch(new RegExp(`${id} +pod +Running +2 +10\\.77\\.`))
  await ok('capsule delete pod')
  expect(await show('capsule list')).toEqual([])
  expect(await show('volume list')).toEqual([])
})

test('at the end everything is given back', async () => {
  await ok('rm -f web db')
  await ok('router detach out shop')
  await ok('router delete out')
  await ok('network delete shop')
  await ok('secgroup delete inner front')
  expect(await show('port list')).toEqual([])
  expect(await gantry.engine.docker('ps', '-aq')).toBe('')
})

test('ports are published as with docker: at the port that was asked for, at a free one, and at none that is taken', async () => {
  const dry = await ok('run --dry-run --name site -p 8080:80 busybox')
  expect(dry).toBe('Container site would be created. Nothing was.')
  await box('site', '-p 8080:80 -p pub::80')
  const { published } = await show('show site')
  expect(published).toMatchObject([
    { publicPort: 8080, containerPort: 80, protocol: 'tcp' },
    { containerPort: 80, protocol: 'tcp' },
  ])
  const [{ address, publicPort }, other] = published
  await expect.poll(() => askFromOutside(address, String(publicPort)), soon).toBe('site')
  await expect.poll(() => askFromOutside(address, String(other.publicPort)), soon).toBe('site')
  expect(await ok('show site')).toContain(`${address}:8080->80/tcp`)
  expect(await ok('ps')).toContain(`${address}:8080->80/tcp`)
  for (const more of [['--dry-run'], ['-d']]) {
    const { code, stderr } = await gantry.cli(['run', ...more, '-p', '8080:80', 'busybox', 'sleep', '1000'])
    expect({ code, stderr }).toMatchObject({
      code: 125,
      stderr: expect.stringContaining('another running container has it'),
    })
  }
  expect((await gantry.cli(['run', '-p', '80:nothing', 'busybox'])).stderr).toContain('Write it as 8080:80')
  await ok('stop site')
  await box('heir', '-p 8080:80')
  await expect.poll(() => askFromOutside(address, '8080'), soon).toBe('heir')
})

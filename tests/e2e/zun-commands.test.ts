import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { runClient } from '../fixtures/client-forks.ts'
import { cloudAt, type Gantry, type Session } from '../fixtures/gantry.ts'

/**
 * Every command of Debian's unmodified `openstack appcontainer` and `openstack capsule` against a fresh `npm start`, each with the
 * shape of what it prints. Left out: `add floating ip` and `remove floating ip`, which talk to Neutron alone; `attach` and
 * the interactive forms of `run` and `exec`, which have tests of their own; `top`, which fails within the client.
 */
const root = new URL('../..', import.meta.url).pathname
const listen = '127.0.0.1:9771'
let home: string
let gantry: Pick<Gantry, 'env' | 'logIn'>
let demo: Session
let folder: string

beforeAll(async () => {
  home = await mkdtemp('/tmp/gantry-commands-home-')
  folder = await mkdtemp('/tmp/gantry-commands-')
  await atHome('npm', ['start', '--', '--detach', '--listen', listen])
  gantry = cloudAt(`http://${listen}`, home)
  demo = await gantry.logIn('demo')
  // What every start runs to show that it works.
  expect((await demo.zun('DELETE', '/containers/hello?stop=True')).status).toBe(204)
  const gone = async () => expect((await demo.zun('GET', '/containers/hello')).status).toBe(404)
  await vi.waitFor(gone, { timeout: 30_000 })
  for (const [number, name] of ['front', 'back'].entries()) {
    expect((await demo.native('POST', '/networks', { name })).status).toBe(201)
    const subnet = { network: name, cidr: `10.77.${number}.0/24` }
    expect((await demo.native('POST', '/subnets', subnet)).status).toBe(201)
  }
})
afterAll(async () => {
  await atHome('sh', ['tools/gantry', 'down', '--all', '--yes'])
  await rm(home, { recursive: true, force: true })
  await rm(folder, { recursive: true, force: true })
})

/** As a new user types it, on a machine without an engine. */
async function atHome(file: string, args: readonly string[]): Promise<void> {
  const { PATH = '', HOME = '/root' } = process.env
  await promisify(execFile)(file, args, { cwd: root, env: { PATH, HOME, GANTRY_HOME: home } })
}

/** What a command prints, on either output: most failures are printed with exit code 0. */
async function openstack(words: readonly string[], user: 'demo' | 'admin' = 'demo'): Promise<string> {
  const { PATH = '', HOME = '/root' } = process.env
  const env = { PATH, HOME, LANG: 'C.UTF-8', ...(await gantry.env(user)) }
  const { stdout, stderr } = await runClient('openstack', words, { env, cwd: folder })
  return `${stdout}${stderr}`
}
const wordsOf = (line: string) => line.split(' ').filter((word) => word !== '')
const app = (line: string, user?: 'demo' | 'admin') => openstack(['appcontainer', ...wordsOf(line)], user)
const asJson = async (line: string, user?: 'demo' | 'admin') =>
  JSON.parse(await app(`${line} -f json`, user)) as unknown
const row = (name: string, value: string) => new RegExp(`\\| ${name} +\\| ${value}`, 'i')
const accepted = /has been accepted/
const isRunning = (name: string) => demo.waitFor(name, ({ status, task_state }) => status === 'Running' && !task_state)

describe('containers', () => {
  test('run with everything, then show', async () => {
    const limits = '--cpu 0.2 --memory 64 --restart on-failure:2 --hostname webhost --availability-zone nova'
    const texts = '--label app=web --environment MODE=test --hint note=ignored --image-driver docker'
    const check = ['--healthcheck', 'cmd=true,interval=1,retries=2,timeout=1']
    const words = wordsOf(`appcontainer run --name web --expose-port 80 ${limits} ${texts}`)
    const out = await openstack([...words, ...check, '--net', 'network=front', 'busybox:latest', 'sleep', '1000'])
    expect(out).toMatch(row('status', 'Creating'))
    expect(out).toMatch(row('memory', '64'))
    await demo.waitFor('web', ({ status }) => status === 'Running' || status === 'Error')
    await expect
      .poll(async () => (await demo.zun('GET', '/containers/web')).text, { timeout: 30_000 })
      .toMatch(/"status_detail":"Up [^"]*\(healthy\)"/)
    const shown = (await asJson('show web')) as Record<string, unknown>
    expect(shown).toMatchObject({
      status: 'Running',
      cpu: 0.2,
      memory: '64',
      hostname: 'webhost',
      ports: [80],
      labels: { app: 'web' },
      environment: { MODE: 'test' },
      restart_policy: { Name: 'on-failure', MaximumRetryCount: '2' },
      healthcheck: { test: 'true', interval: 1, retries: 2, timeout: 1 },
      addresses: expect.stringMatching(/^10\.77\.0\.\d+$/),
      // The project's own and the one that opens its port.
      security_groups: [expect.any(String), expect.any(String)],
    })
    expect(shown).not.toHaveProperty('host')
    expect(await app('show web', 'admin')).toContain('HTTP 404')
  })

  test('create, list and its filters, set', async () => {
    expect(await app('create --name idle --cpu 0.1 --memory 32 --auto-heal busybox:latest true')).toMatch(
      row('task_state', 'container_creating'),
    )
    await demo.waitFor('idle', ({ status }) => status === 'Created')
    const names = async (line: string, user?: 'admin') =>
      ((await asJson(`list ${line}`, user)) as { name: string }[]).map(({ name }) => name)
    expect((await names('')).sort()).toEqual(['idle', 'web'])
    for (const filter of [
      '--status Created',
      '--memory 32',
      '--name idle',
      '--sort-key name --sort-dir asc --limit 2',
    ]) {
      expect((await names(filter))[0], filter).toBe('idle')
    }
    expect(await names(`--host ${hostname()} --all-projects`, 'admin')).toHaveLength(2)
    expect(await names('--auto-remove True')).toEqual([])
    expect(await app(`list --host ${hostname()}`)).toContain('HTTP 403')
    expect(await app('set idle --name busy --cpu 0.3 --memory 48 --no-auto-heal')).toMatch(row('name', 'busy'))
    expect(await app('delete busy --wait')).toMatch(accepted)
  })

  test('exec, logs, stats, cp, commit, actions', async () => {
    expect(await app('exec web echo hi')).toContain('hi')
    await app('run --name talk --auto-remove busybox:latest true')
    await app('run --name said busybox:latest echo spoken')
    await demo.waitFor('said', ({ status }) => status === 'Stopped')
    expect(await app('logs said --stdout --tail 1')).toContain('spoken')
    expect(await app('logs said --timestamps --since 1000')).toMatch(/\d{4}-\d\d-\d\dT.*spoken/)
    expect(await app('stats web')).toMatch(row('MEM LIMIT\\(MiB\\)', '64'))
    await writeFile(join(folder, 'in.txt'), 'copied')
    await app('cp in.txt web:/tmp')
    await rm(join(folder, 'in.txt'))
    await app('cp web:/tmp/in.txt .')
    expect(await readFile(join(folder, 'in.txt'), 'utf8')).toBe('copied')
    expect(await app('commit web saved:v1')).toMatch(accepted)
    const list = (await asJson('action list web')) as Record<string, string>[]
    expect(list[0]).toMatchObject({ action: 'commit' })
    expect(await app(`action show web ${list.at(-1)?.['request_id']}`)).toMatch(row('action', 'create'))
    const gone = () => demo.zun('GET', '/containers/talk')
    await expect.poll(async () => (await gone()).status, { timeout: 30_000 }).toBe(404)
  })

  test('pause, unpause, stop, start, restart, kill, rebuild', async () => {
    for (const [line, status] of [
      ['pause web', 'Paused'],
      ['unpause web', 'Running'],
      ['stop web --timeout 1', 'Stopped'],
      ['start web', 'Running'],
      ['restart web --timeout 1', 'Running'],
      ['kill web --signal SIGKILL', 'Running|Stopped'],
    ] as const) {
      expect(await app(line), line).toMatch(accepted)
      await demo.waitFor('web', (one) => status.split('|').includes(one.status) && one.task_state === null)
    }
    expect(await app('rebuild web --image busybox:latest --wait')).toMatch(accepted)
    await isRunning('web')
  })

  test('mounts: a volume, a new one, a file', async () => {
    expect((await demo.native('POST', '/volumes', { name: 'kept', size: 1 })).status).toBeLessThan(300)
    await expect
      .poll(async () => (await demo.native('GET', '/volumes/kept')).text, { timeout: 30_000 })
      .toContain('"available"')
    await writeFile(join(folder, 'motd'), 'welcome\n')
    const mounts = '--mount source=kept,destination=/kept --mount size=1,destination=/new'
    const line = `run --name store ${mounts} --mount type=bind,source=motd,destination=/etc/motd busybox:latest sleep 1000`
    expect(await app(line)).toMatch(row('status', 'Creating'))
    await isRunning('store')
    expect(await app('exec store cat /etc/motd')).toContain('welcome')
    expect(await app('exec store df -m /kept /new')).toMatch(/\/kept[\s\S]*\/new/)
    expect(await app('run --mount source=nothing,destination=/x busybox:latest')).toContain('HTTP 404')
    expect(await app('delete store --stop --wait')).toMatch(accepted)
    expect((await demo.native('GET', '/volumes')).text).toContain('"kept"')
  })

  test('delete: not while it runs, with --stop, with --force', async () => {
    await app('run --name doomed busybox:latest sleep 1000')
    await isRunning('doomed')
    expect(await app('delete doomed')).toMatch(/Delete for container doomed failed.*Running.*HTTP 409/)
    expect(await app('delete doomed --force')).toContain('HTTP 403')
    expect(await app('delete doomed said --stop --wait')).toMatch(accepted)
    expect(await app('show doomed')).toContain('HTTP 404')
  })
})

describe('networks', () => {
  test('nets and groups at create, attach, list, detach', async () => {
    const port = await demo.native('POST', '/ports', { network: 'back', name: 'mine' })
    expect(port.status, port.text).toBe(201)
    const { id } = port.json as unknown as { id: string }
    const nets = `--net network=front,v4-fixed-ip=10.77.0.99 --security-group default`
    expect(await app(`run --name wired ${nets} busybox:latest sleep 1000`)).toMatch(row('status', 'Creating'))
    await isRunning('wired')
    expect(await app('network list wired')).toMatch(/10\.77\.0\.99/)
    expect(await app(`network attach wired --port ${id}`)).toMatch(accepted)
    await isRunning('wired')
    expect(await app('exec wired ip -o -4 addr')).toMatch(/10\.77\.0\.99[\s\S]*10\.77\.1\./)
    expect(await app('network detach wired --network back')).toMatch(accepted)
    await isRunning('wired')
    expect(await app('network list wired')).not.toContain('10.77.1.')
    expect(await app('network attach wired --network back --fixed-ip 10.77.1.88')).toMatch(accepted)
    await isRunning('wired')
    expect(await app('network list wired')).toContain('10.77.1.88')
    expect(await app('network attach wired --network front')).toContain('HTTP 400')
    expect(await app('network detach wired --network nothing')).toContain('HTTP 404')
  })

  test('security groups come and go at 1.14', async () => {
    expect((await demo.native('POST', '/security-groups', { name: 'extra' })).status).toBe(201)
    const old = (line: string) => openstack(['--os-container-api-version', '1.14', 'appcontainer', ...wordsOf(line)])
    expect(await old('add security group wired extra')).toMatch(accepted)
    await isRunning('wired')
    expect(((await asJson('show wired')) as { security_groups: string[] }).security_groups).toHaveLength(2)
    expect(await old('remove security group wired extra')).toMatch(accepted)
    await isRunning('wired')
    expect(await app('add security group wired extra')).toContain('406')
    expect(await app('delete wired --stop --wait')).toMatch(accepted)
  })
})

describe('the rest', () => {
  test('images: list, show, search, delete, pull', async () => {
    await expect
      .poll(async () => (await demo.zun('GET', '/images')).text, { timeout: 30_000 })
      .not.toContain('"size":null')
    const images = (await asJson('image list')) as { uuid: string; repo: string }[]
    const saved = images.find(({ repo }) => repo === 'saved')
    expect(saved).toBeDefined()
    expect(await app(`image show ${saved?.uuid}`)).toMatch(row('tag', 'v1'))
    expect(await app('image search saved --exact-match')).toContain('saved')
    expect(await app('image search saved --image-driver glance')).toMatch(/saved.*v1.*active/)
    expect(await app(`image delete ${saved?.uuid}`)).toMatch(/accepted|^$/)
    expect(await app(`image pull busybox:latest ${hostname()}`)).toContain('HTTP 403')
    expect(await app('image pull busybox:latest nohost', 'admin')).toContain('HTTP 400')
    expect(await app(`image pull busybox:latest ${hostname()}`, 'admin')).toMatch(row('repo', 'busybox'))
  })

  test('hosts, services, zones', async () => {
    expect(await app('host list', 'admin')).toContain(hostname())
    expect(await app(`host show ${hostname()}`, 'admin')).toMatch(row('hostname', hostname()))
    expect(await app('host list')).toContain('HTTP 403')
    expect(await app('availability zone list')).toContain('nova')
    expect(await app('service list', 'admin')).toMatch(new RegExp(`${hostname()}.*zun-compute.*up`))
    expect(await app(`service disable ${hostname()} zun-compute --reason upkeep`, 'admin')).toMatch(
      row('disabled', 'True'),
    )
    await app('run --name nowhere --cpu 0.1 busybox:latest true')
    const refused = await demo.waitFor('nowhere', ({ status }) => status === 'Error')
    expect(refused.status_reason).toMatch(/disabled/i)
    expect(await app('delete nowhere')).toMatch(accepted)
    expect(await app(`service enable ${hostname()} zun-compute`, 'admin')).toMatch(row('disabled', 'False'))
    expect(await app(`service forcedown ${hostname()} zun-compute`, 'admin')).toMatch(row('forced.down', 'True'))
    expect(await app('service list', 'admin')).toMatch(new RegExp(`${hostname()}.*down`))
    expect(await app(`service forcedown ${hostname()} zun-compute --unset`, 'admin')).toMatch(
      row('forced.down', 'False'),
    )
    expect(await app(`service delete ${hostname()} zun-compute`, 'admin')).toMatch(/HTTP 4\d\d/)
  })

  test('quotas and classes', async () => {
    const project = demo.projectId
    expect(await app(`quota get ${project}`)).toMatch(row('containers', '40'))
    expect(await app(`quota get ${project} --usages`)).toContain('in_use')
    expect(await app(`quota default ${project}`)).toMatch(row('memory', '51200'))
    expect(await app(`quota update ${project} --containers 30 --cpu 10`, 'admin')).toMatch(row('containers', '30'))
    expect(await app(`quota update ${project} --containers 30`)).toContain('HTTP 403')
    expect(await app(`quota delete ${project}`, 'admin')).not.toContain('HTTP')
    expect(await app(`quota get ${project}`)).toMatch(row('containers', '40'))
    expect(await app('quota class update default --disk 99', 'admin')).toMatch(row('disk', '99'))
    expect(await app('quota class get default', 'admin')).toMatch(row('disk', '99'))
  })

  test('registries', async () => {
    const create = 'registry create --name hub --domain hub.example.com --username me --password secret'
    const out = await app(create)
    expect(out).toMatch(row('domain', 'hub.example.com'))
    expect(out).not.toContain('secret')
    expect(await app('registry list')).toContain('hub.example.com')
    expect(await app('registry list --domain hub.example.com --username me --name hub')).toContain('hub')
    expect(await app('registry update hub --username you')).toMatch(row('username', 'you'))
    expect(await app('registry show hub')).toMatch(row('username', 'you'))
    expect(await app('run --registry nothing busybox:latest')).toContain('HTTP 404')
    expect(await app('registry delete hub')).toMatch(accepted)
    expect(await app('registry show hub')).toContain('HTTP 404')
  })

  test('capsules', async () => {
    const sleeper = (seconds: number) => ({
      image: 'busybox:latest',
      command: ['sleep', String(seconds)],
      resources: { requests: { cpu: 0.1, memory: 32 } },
    })
    const spec = {
      containers: [sleeper(1000), sleeper(2000)],
      initContainers: [{ image: 'busybox:latest', command: ['true'] }],
    }
    const template = { kind: 'capsule', capsuleVersion: 'beta', metadata: { name: 'pair', labels: { a: 'b' } }, spec }
    await writeFile(join(folder, 'capsule.json'), JSON.stringify(template))
    const capsule = (line: string) => openstack(['capsule', ...wordsOf(line)])
    expect(await capsule('create --file capsule.json')).toMatch(row('status', 'Creating'))
    const status = async () => (await demo.zun('GET', '/capsules/pair')).json['status']
    await expect.poll(status, { timeout: 60_000 }).toMatch(/^(Running|Error)$/)
    expect(await capsule('show pair')).toMatch(row('status', 'Running'))
    expect(await capsule('list')).toMatch(/pair.*Running.*\d+\.\d+\.\d+\.\d+/)
    expect(await app('list')).not.toContain('capsule-pair')
    expect(await capsule('delete pair')).toMatch(accepted)
    await expect.poll(async () => (await demo.zun('GET', '/capsules/pair')).status, { timeout: 60_000 }).toBe(404)
    expect(await capsule('show pair')).toContain('HTTP 404')
  })

  test('nothing is left', async () => {
    await app('delete web --stop --wait')
    await expect
      .poll(async () => (await demo.zun('GET', '/containers')).text, { timeout: 30_000 })
      .toContain('"containers":[]')
  })
})

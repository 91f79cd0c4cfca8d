import { execFile } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Gantry, type Session, startGantry } from '../fixtures/gantry.ts'

const run = promisify(execFile)
const rounds = Number(process.env['GANTRY_ROUNDS'] ?? 200)
const atOnce = 4

let gantry: Gantry
let demo: Session
beforeAll(async () => {
  gantry = await startGantry()
  demo = await gantry.logIn('demo')
})
afterAll(() => gantry[Symbol.asyncDispose]())

/** Everything that a container with a network, an opened port, a volume and a file leaves traces in. */
interface Traces {
  readonly namespaces: string[]
  readonly links: string[]
  readonly rules: string
  readonly loops: string[]
  readonly mounts: string[]
  readonly files: string[]
  readonly engine: { containers: string; networks: string }
  readonly rows: Record<string, number>
}

async function lines(command: string): Promise<string[]> {
  const { stdout } = await run('sh', ['-c', command], { maxBuffer: 64 << 20 })
  return stdout.split('\n').filter((line) => line !== '')
}

async function traces(prefix: string): Promise<Traces> {
  const names = (await lines('ip netns list')).map((line) => line.split(' ')[0] ?? '')
  const namespaces = names.filter((name) => name.startsWith(prefix)).sort()
  const inAll = async (command: string) =>
    (await Promise.all(namespaces.map((name) => lines(`ip netns exec ${name} ${command}`)))).flat()
  const outside = await lines(`nsenter --net=${gantry.engine.netns} ip -o link`)
  return {
    namespaces,
    links: [...outside, ...(await inAll('ip -o link'))].map((line) => line.split(':')[1] ?? '').sort(),
    // Packet counters and handles differ, rules must not.
    rules: (await inAll('nft -s list ruleset')).sort().join('\n'),
    loops: (await lines('losetup -a')).filter((line) => line.includes(gantry.home)),
    mounts: (await lines('cat /proc/self/mountinfo')).filter((line) => line.includes(gantry.home)),
    files: await readdir(join(gantry.home, 'agent'), { recursive: true }),
    engine: {
      containers: await gantry.engine.docker('ps', '-aq'),
      networks: await gantry.engine.docker('network', 'ls', '--format', '{{.Name}}'),
    },
    rows: rowsOf(join(gantry.home, 'gantry.db')),
  }
}

/** Rows of every table but those that are kept on purpose: the audit, what happened, and what log-ins leave. */
function rowsOf(path: string): Record<string, number> {
  const db = new DatabaseSync(path, { readOnly: true })
  try {
    const tables = db.prepare("select name from sqlite_master where type = 'table'").all() as { name: string }[]
    const kept = /^(actions|action_events|audit_records|changes|identity_|kysely_|sqlite_)/
    return Object.fromEntries(
      tables
        .filter(({ name }) => !kept.test(name))
        .map(({ name }) => [name, Number(db.prepare(`select count(*) as n from "${name}"`).get()?.['n'])]),
    )
  } finally {
    db.close()
  }
}

async function round(index: number): Promise<void> {
  const created = await demo.zun('POST', '/containers?run=true', {
    name: `round-${index}`,
    image: 'busybox:latest',
    // Ends at once when it is told to.
    command: ['sh', '-c', "trap 'exit 0' TERM; while :; do sleep 1 & wait; done"],
    cpu: 0.1,
    memory: '16',
    ...(index % 2 === 0 ? { exposed_ports: { '80/tcp': {} } } : {}),
    ...(index % 3 === 0 ? { mounts: [{ size: '1', destination: '/data' }] } : {}),
    ...(index % 3 === 1
      ? { mounts: [{ type: 'bind', source: Buffer.from('hello').toString('base64'), destination: '/hello' }] }
      : {}),
  })
  expect(created.status, created.text).toBe(202)
  const { uuid } = created.json
  const container = await demo.waitFor(uuid, ({ status }) => status === 'Running' || status === 'Error')
  expect(container.status, `${container.status_reason}`).toBe('Running')
  expect((await demo.zun('DELETE', `/containers/${uuid}?stop=True`)).status).toBe(204)
  await gone(uuid)
}

async function gone(uuid: string): Promise<void> {
  const end = Date.now() + 60_000
  while ((await demo.zun('GET', `/containers/${uuid}`)).status !== 404) {
    if (Date.now() > end) throw new Error(`${uuid} is still there`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** What is there once the host has taken down the networks that nobody uses, a while after the last container. */
async function idle(prefix: string): Promise<Traces> {
  const end = Date.now() + 120_000
  for (;;) {
    const now = await traces(prefix)
    // The kernel takes the last ends of a namespace away a moment after its name.
    const ours = now.links.filter((name) => /^ g[bx]/.test(name))
    const left = [
      ...now.namespaces,
      ...ours,
      ...now.engine.networks.split('\n').filter((name) => name.startsWith('gantry')),
    ]
    if (left.length === 0) return now
    if (Date.now() > end) throw new Error(`still there: ${left.join(' ')}`)
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
}

test(
  `${rounds} rounds of create and delete leave nothing behind`,
  async () => {
    const admin = await gantry.logIn('admin')
    const { json } = await admin.native('GET', '/hosts')
    const [host] = (json as unknown as { hosts: { id: string }[] }).hosts
    const prefix = `gantry-${host?.id.replaceAll('-', '').slice(0, 8)}`
    // The first makes what stays: the project's network, its router, its default security group.
    for (const index of [0, 1, 2]) await round(index)
    const before = await idle(prefix)
    expect(before.rows).toMatchObject({ containers: 0, volumes: 0 })
    let next = 3
    const worker = async () => {
      while (next < rounds) await round(next++)
    }
    await Promise.all(Array.from({ length: atOnce }, worker))
    expect(await idle(prefix)).toEqual(before)
  },
  15 * 60_000,
)

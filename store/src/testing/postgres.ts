import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chownSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '@gantry/kernel/testing'
import pg from 'pg'

export interface TestPostgres extends AsyncDisposable {
  /** Of an empty database of its own; each call makes another. */
  database(): Promise<string>
  /** kill -9 of all of it; `start` brings it back. */
  kill(): Promise<void>
  start(): Promise<void>
  /** Of a process whose descendants are all of it; null while there is none. */
  pid(): number | null
}

/** A PostgreSQL of Debian's package, in a temporary folder, that nobody else uses; `more` are settings. It ends with this process at the latest. */
export async function startPostgres(more: readonly string[] = []): Promise<TestPostgres> {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-pg-'))
  const asRoot = process.getuid?.() === 0
  const owner = asRoot ? ownerId() : undefined
  if (owner) chownSync(folder, owner.uid, owner.gid)
  const bin = binFolder()
  const data = join(folder, 'data')
  const options = { stdio: 'pipe', env: { ...process.env, LC_ALL: 'C.UTF-8' }, ...owner } as const
  execFileSync(
    join(bin, 'initdb'),
    ['-D', data, '-A', 'trust', '-U', 'gantry', '--no-sync', '--no-instructions'],
    options,
  )
  const port = await freePort()
  let server: ChildProcess | null = null
  const settings = [
    'fsync=off',
    'full_page_writes=off',
    'max_connections=200',
    'listen_addresses=127.0.0.1',
    `unix_socket_directories=${folder}`,
    ...more,
  ]
  const start = async () => {
    const args = ['-D', data, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])]
    // A shell that ends it when this process is gone, however it went: its standard input closes then.
    const script = '"$@" & pid=$!; read -r _; kill -INT $pid; wait $pid'
    server = spawn('sh', ['-c', script, 'sh', join(bin, 'postgres'), ...args], {
      ...options,
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    await reached(port)
  }
  const end = async (how: (shell: ChildProcess) => void) => {
    const ended = server
    server = null
    if (!ended || ended.exitCode !== null) return
    const gone = new Promise((resolve) => ended.once('exit', resolve))
    how(ended)
    await gone
  }
  const kill = () =>
    end((shell) => {
      const pid = Number(execFileSync('head', ['-n', '1', join(data, 'postmaster.pid')], { encoding: 'utf8' }))
      for (const each of [...childrenOf(pid), pid]) killQuietly(each)
      shell.stdin?.end()
    })
  await start()
  return {
    async database() {
      const name = `db_${randomBytes(6).toString('hex')}`
      const client = new pg.Client({ connectionString: urlOf(port, 'postgres') })
      await client.connect()
      await client.query(`create database ${name}`)
      await client.end()
      return urlOf(port, name)
    },
    kill,
    start,
    pid: () => server?.pid ?? null,
    async [Symbol.asyncDispose]() {
      await end((shell) => shell.stdin?.end())
      rmSync(folder, { recursive: true, force: true })
    },
  }

  function urlOf(at: number, name: string): string {
    return `postgres://gantry@127.0.0.1:${at}/${name}`
  }
}

async function reached(port: number): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    const client = new pg.Client({ connectionString: `postgres://gantry@127.0.0.1:${port}/postgres` })
    try {
      await client.connect()
      await client.end()
      return
    } catch (error) {
      await client.end().catch(() => undefined)
      if (attempt > 300) throw error
      await sleep(100)
    }
  }
}

function binFolder(): string {
  const versions = readdirSync('/usr/lib/postgresql').sort((a, b) => Number(b) - Number(a))
  if (!versions[0]) throw new Error('There is no PostgreSQL; run apt-get install postgresql.')
  return join('/usr/lib/postgresql', versions[0], 'bin')
}

/** PostgreSQL does not run as root. */
function ownerId(): { uid: number; gid: number } {
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}

function childrenOf(pid: number): number[] {
  try {
    return execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' })
      .trim()
      .split(/\s+/)
      .map(Number)
  } catch {
    return []
  }
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It is gone already.
  }
}

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { appendFile, chmod, chown, mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Machine } from './network.ts'
import { delay, eventually } from './waiting.ts'

const run = promisify(execFile)
const programs = '/usr/lib/postgresql/15/bin'

/** A PostgreSQL of the campaign's own. */
export interface Database {
  readonly url: string
  /** Where its data is: a small disk. */
  readonly folder: string
  /** Starts it if it does not run; returns when it answers. */
  start(): Promise<void>
  /** All its processes at once. */
  kill9(): Promise<void>
  pause(isPaused: boolean): Promise<void>
}

export async function createDatabase(machine: Machine, folder: string): Promise<Database> {
  const ids = await run('id', ['-u', 'postgres']).then(({ stdout }) => Number(stdout))
  const data = join(folder, 'data')
  await mkdir(folder, { recursive: true })
  await chown(folder, ids, ids)
  await chmod(folder, 0o755)
  const asPostgres = { uid: ids, gid: ids, cwd: folder }
  await run(join(programs, 'initdb'), ['-D', data, '-U', 'gantry', '-A', 'trust', '--no-sync'], asPostgres)
  await appendFile(join(data, 'pg_hba.conf'), 'host all all samenet trust\n')
  let child: ChildProcess | null = null

  const isUp = async () => {
    const probe = ['-h', machine.address, '-U', 'gantry', '-d', 'postgres', '-t', '2']
    await run('nsenter', [`--net=${machine.netns}`, join(programs, 'pg_isready'), ...probe])
    return true
  }
  /** A killed process loses nothing that the system had taken, so nothing is synced to disk. */
  const settings = {
    listen_addresses: machine.address,
    unix_socket_directories: folder,
    fsync: 'off',
    max_connections: '200',
    shared_buffers: '64MB',
    // The disk is small, and what fills it is the campaign's own file.
    min_wal_size: '32MB',
    max_wal_size: '64MB',
    wal_recycle: 'off',
    tcp_keepalives_idle: '5',
    tcp_keepalives_interval: '2',
    tcp_keepalives_count: '3',
  }
  async function start(): Promise<void> {
    if (child && child.exitCode === null && child.signalCode === null && (await isUp().catch(() => false))) return
    await kill9()
    const log = openSync(`${folder}.log`, 'a')
    const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    const command = [`--net=${machine.netns}`, 'setpriv', `--reuid=${ids}`, `--regid=${ids}`, '--clear-groups']
    child = spawn('nsenter', [...command, join(programs, 'postgres'), '-D', data, ...options], {
      stdio: ['ignore', log, log],
      cwd: folder,
    })
    closeSync(log)
    if (!(await eventually(isUp, 30, 100))) throw new Error(`PostgreSQL does not answer; see ${folder}.log.`)
  }
  async function kill9(): Promise<void> {
    const dying = child
    child = null
    const all = await family(dying?.pid)
    const exit = dying && dying.exitCode === null && dying.signalCode === null ? once(dying, 'exit') : null
    for (const pid of all) signal(pid, 'SIGKILL')
    await exit
    // The shared memory of a killed one must be free before the next may begin.
    while (all.some((pid) => signal(pid, 0))) await delay(20)
    await rm(join(data, 'postmaster.pid'), { force: true })
  }
  return {
    url: `postgres://gantry@${machine.address}:5432/postgres`,
    folder,
    start,
    kill9,
    async pause(isPaused) {
      for (const pid of await family(child?.pid)) signal(pid, isPaused ? 'SIGSTOP' : 'SIGCONT')
    },
  }
}

/** A process and its children. */
async function family(parent: number | undefined): Promise<number[]> {
  if (parent === undefined) return []
  const numbers = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  const isChild = async (pid: number) => {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
    return Number(stat.replace(/^.*\) /, '').split(' ')[1]) === parent
  }
  const children: number[] = []
  for (const pid of numbers) if (await isChild(pid)) children.push(pid)
  return [parent, ...children]
}

function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name)
  } catch {
    return false
  }
}

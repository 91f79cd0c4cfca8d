import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '@gantry/kernel/testing'

export interface TestBroker extends AsyncDisposable {
  readonly url: string
  /** kill -9; `start` brings it back with what it kept. */
  kill(): Promise<void>
  start(): Promise<void>
}

const patienceMs = 60_000

/** A RabbitMQ of Debian's package, in a temporary folder. It ends with this process at the latest. */
export async function startBroker(): Promise<TestBroker> {
  const folder = mkdtempSync(join(tmpdir(), 'gantry-mq-'))
  const owner = process.getuid?.() === 0 ? ownerId() : undefined
  const [port, distribution, mapper] = await Promise.all([freePort(), freePort(), freePort()])
  const config = join(folder, 'rabbitmq.conf')
  writeFileSync(config, `listeners.tcp.1 = 127.0.0.1:${port}\nlog.console = false\n`)
  writeFileSync(join(folder, 'plugins'), '[].')
  if (owner) for (const path of [folder, config]) chownSync(path, owner.uid, owner.gid)
  const env = {
    PATH: process.env['PATH'],
    HOME: folder,
    RABBITMQ_NODENAME: `gantry${port}@localhost`,
    RABBITMQ_CONFIG_FILE: config,
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'plugins'),
    RABBITMQ_MNESIA_BASE: join(folder, 'data'),
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_DIST_PORT: String(distribution),
    ERL_EPMD_PORT: String(mapper),
    ERL_EPMD_ADDRESS: '127.0.0.1',
  }
  let running: ChildProcess | null = null
  const start = async () => {
    // A shell that ends all of it, the port mapper too, when this process is gone, however it went: its standard input closes then.
    const script =
      'setsid /usr/lib/rabbitmq/bin/rabbitmq-server & pid=$!; read -r _; kill -9 -$pid; for try in 1 2 3 4 5; do sleep 0.2; epmd -kill && break; done'
    running = spawn('sh', ['-c', script], { env, stdio: ['pipe', 'ignore', 'ignore'], cwd: folder, ...owner })
    await reached(port)
  }
  const kill = async () => {
    const ended = running
    running = null
    if (!ended || ended.exitCode !== null) return
    const gone = new Promise((resolve) => ended.once('exit', resolve))
    ended.stdin?.end()
    await gone
  }
  await start()
  return {
    url: `amqp://guest:guest@127.0.0.1:${port}`,
    kill,
    start,
    async [Symbol.asyncDispose]() {
      await kill()
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

function ownerId(): { uid: number; gid: number } {
  const id = (what: string) => Number(execFileSync('id', [what, 'rabbitmq'], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}

/** It takes connections before it is ready; then it greets whoever speaks AMQP. */
async function reached(port: number): Promise<void> {
  const until = Date.now() + patienceMs
  while (Date.now() < until) {
    if (await greets(port)) return
    await sleep(200)
  }
  throw new Error('RabbitMQ did not start.')
}

function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('AMQP\x00\x00\x09\x01'))
    const done = (is: boolean) => {
      socket.destroy()
      resolve(is)
    }
    socket.once('data', () => done(true))
    socket.once('error', () => done(false))
    socket.once('close', () => done(false))
    socket.setTimeout(2000, () => done(false))
  })
}

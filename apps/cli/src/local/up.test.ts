import { existsSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { freePort } from '@gantry/kernel/testing'
import { describe, expect, test } from 'vitest'
import { down } from './down.ts'
import { homeAt } from './home.ts'
import { isAlive, processId } from './process-id.ts'
import { progressTo } from './progress.ts'
import { readState, type UpState } from './state.ts'
import { statusLines, statusOf } from './status.ts'
import { fakeEngine, temporary } from './testing/fake-engine.ts'
import { up } from './up.ts'

const fake = (name: string): string => fileURLToPath(new URL(`./testing/fake-${name}.ts`, import.meta.url))

interface Cloud extends AsyncDisposable {
  readonly lines: string[]
  readonly state: UpState
  readonly ended: Promise<void>
}

/** Runs `up` in this process with fake programs until disposed; rejects if it does not get ready. */
async function start(
  home: string,
  options: { engine?: string; listen?: string; env?: Record<string, string> } = {},
): Promise<Cloud> {
  const lines: string[] = []
  const stop = new AbortController()
  const { promise, resolve, reject } = Promise.withResolvers<UpState>()
  const listen = options.listen ?? `127.0.0.1:${await freePort()}`
  const ended = up(
    { home, listen, sample: true, ...(options.engine === undefined ? {} : { engine: options.engine }) },
    {
      serverModule: fake('server'),
      agentModule: fake('agent'),
      env: { ...process.env, ...options.env },
      detached: false,
      onReady: resolve,
    },
    progressTo((notice) => lines.push(notice.text)),
    stop.signal,
  )
  ended.catch(reject)
  const state = await promise
  return {
    lines,
    state,
    ended,
    async [Symbol.asyncDispose]() {
      stop.abort()
      await ended
    },
  }
}

async function until(true_: () => boolean): Promise<void> {
  for (let tries = 0; !true_() && tries < 200; tries += 1) await sleep(25)
  expect(true_()).toBe(true)
}

describe('gantry up', () => {
  test('starts server and agent, runs the sample as demo and shows its lines', async () => {
    await using folder = await temporary()
    await using engine = await fakeEngine()
    await using cloud = await start(folder.path, { engine: `unix://${engine.socket}` })
    const told = cloud.lines.join('\n')
    expect(told).toContain('Container hello (project demo): Running\n  │ one\n  │ two\n  │ three')
    expect(told).toContain(`Docker API    ${cloud.state.docker}   (TLS: ${cloud.state.dockerTls})`)
    expect(told).toContain(`Engine        Docker 1.2.3, unix://${engine.socket}`)
    const agent = JSON.parse(readFileSync(join(folder.path, 'logs/agent.log'), 'utf8')) as {
      args: string[]
      token: string
    }
    expect(agent.token).toBe('gj1.secret')
    expect(agent.args.slice(0, 2)).toEqual(['--join', cloud.state.agents])
    expect(readFileSync(join(folder.path, 'requests'), 'utf8')).toContain('POST /container/v1/containers?run=true')
    expect(statSync(join(folder.path, 'state.json')).mode & 0o777).toBe(0o600)
    expect(readFileSync(join(folder.path, 'state.json'), 'utf8')).not.toContain('gj1.secret')
  })

  test('a second up on the same home is refused with what to do, and the first goes on', async () => {
    await using folder = await temporary()
    await using engine = await fakeEngine()
    await using cloud = await start(folder.path, { engine: `unix://${engine.socket}` })
    await expect(start(folder.path)).rejects.toThrow(/already runs with the state folder .*npx gantry down/)
    expect(processId(cloud.state.server.pid)).toBeDefined()
  })

  test('a server and an agent that are killed are started again, and status says so', async () => {
    await using folder = await temporary()
    await using engine = await fakeEngine()
    await using cloud = await start(folder.path, { engine: `unix://${engine.socket}` })
    process.kill(cloud.state.server.pid, 'SIGKILL')
    process.kill(cloud.state.agent.pid, 'SIGKILL')
    const home = homeAt(folder.path)
    await until(() => readState(home)?.server.restarts === 1 && readState(home)?.agent.restarts === 1)
    const status = await statusOf(home)
    expect(status.hosts).toEqual({ connected: 1, known: 2 })
    expect(statusLines(status).join('\n')).toMatch(
      /restarted 1 time.*\n.*\n.*restarted 1 time.*\n.*\n.*1 of 2 connected/,
    )
  })

  test('leaves no process, no state and a free lock behind', async () => {
    await using folder = await temporary()
    await using engine = await fakeEngine()
    let state: UpState
    {
      await using cloud = await start(folder.path, { engine: `unix://${engine.socket}` })
      state = cloud.state
    }
    expect([processId(state.server.pid), processId(state.agent.pid)]).toEqual([undefined, undefined])
    expect(existsSync(join(folder.path, 'state.json'))).toBe(false)
    expect(
      await down(
        homeAt(folder.path),
        { all: true },
        progressTo(() => undefined),
      ),
    ).toEqual({ cloud: false, engine: false })
    await using again = await start(folder.path)
    expect(isAlive(again.state.supervisor)).toBe(true)
  })

  test.each([
    ['a taken port', {}, /Port \d+ on 127.0.0.1 is taken.*--listen/],
    [
      'an engine that does not answer',
      { engine: 'unix:///nowhere/docker.sock' },
      /does not answer at unix:\/\/\/nowhere/,
    ],
    ['an engine behind TCP', { engine: 'tcp://127.0.0.1:2375' }, /over a Unix socket only/],
    ['an address that is none', { listen: '9700' }, /HOST:PORT/],
    [
      'a server that refuses',
      { env: { FAKE_SERVER_FAILS: '1' } },
      /server did not start: The database is from a newer version/,
    ],
  ])('%s is one sentence with a remedy, and nothing stays', async (what, options, sentence) => {
    await using folder = await temporary()
    await using engine = await fakeEngine()
    const taken = createServer()
    await new Promise<void>((done) => taken.listen(0, '127.0.0.1', done))
    const { port } = taken.address() as { port: number }
    const listen = what === 'a taken port' ? { listen: `127.0.0.1:${port}` } : {}
    await expect(start(folder.path, { engine: `unix://${engine.socket}`, ...listen, ...options })).rejects.toThrow(
      sentence,
    )
    await new Promise((done) => taken.close(done))
    expect(existsSync(join(folder.path, 'state.json'))).toBe(false)
    expect(
      await down(
        homeAt(folder.path),
        { all: false },
        progressTo(() => undefined),
      ),
    ).toEqual({ cloud: false, engine: false })
  })

  test('an engine that a home has used is not silently replaced by another', async () => {
    await using folder = await temporary()
    {
      await using engine = await fakeEngine()
      await using _cloud = await start(folder.path, { engine: `unix://${engine.socket}` })
    }
    await expect(start(folder.path)).rejects.toThrow(/that this cloud used until now does not answer/)
  })
})

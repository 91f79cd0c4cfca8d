import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ClientOptions, WebSocket } from 'ws'
import { type Gantry, type Session, startGantry } from '../fixtures/gantry.ts'
import { ended, openTerminal } from '../fixtures/terminal.ts'

/** People and programs at the terminals of containers: the unmodified client and our own command line in a real terminal. */
let gantry: Gantry
let demo: Session

beforeAll(async () => {
  gantry = await startGantry({ serverArgs: ['--allowed-origin', 'https://dashboard.example'] })
  demo = await gantry.logIn('demo')
})
afterAll(() => gantry?.[Symbol.asyncDispose]())

const clientEnv = async () => ({
  PATH: process.env['PATH'] ?? '',
  HOME: '/root',
  LANG: 'C.UTF-8',
  ...(await gantry.env()),
})
const openstack = async (...args: string[]) => openTerminal(['openstack', 'appcontainer', ...args], await clientEnv())
const cli = async (...args: string[]) => {
  const main = new URL('../../apps/cli/src/main.ts', import.meta.url).pathname
  return openTerminal([process.execPath, main, ...args], { ...(await clientEnv()), GANTRY_HOME: gantry.home })
}

/** A shell with a terminal that waits for somebody. */
async function box(name: string, more: object = {}): Promise<string> {
  const body = { name, image: 'busybox:latest', command: ['sh'], interactive: true, tty: true, ...more }
  const made = await demo.zun('POST', '/containers?run=true', body)
  expect(made.status, made.text).toBe(202)
  return (await demo.waitFor(name, ({ status, task_state }) => status === 'Running' && task_state === null)).uuid
}

const attachUrl = async (ref: string) => (await demo.zun('GET', `/containers/${ref}/attach`)).json as unknown as string

describe('the openstack client in a terminal', () => {
  test('run --interactive: type, see the echo, resize, leave by ending the shell', async () => {
    await using terminal = await openstack('run', '--interactive', '--name', 'first', 'busybox:latest', 'sh')
    await terminal.until(/connected to .*press Enter to continue/)
    await terminal.keys('Enter')
    await terminal.until(/\/ # /)
    await terminal.type('echo answer-$((6*7))')
    expect(await terminal.until(/^answer-42$/m)).toContain('echo answer-$((6*7))')
    await terminal.type('stty size')
    await terminal.until(/^30 100$/m)
    await terminal.resize(91, 27)
    await expect
      .poll(async () => {
        await terminal.type('stty size')
        return terminal.screen()
      })
      .toMatch(/^27 91$/m)
    await terminal.type('echo grüße-$((1+1))-日本')
    await terminal.until(/^grüße-2-日本$/m)
    await terminal.type('exit 3')
    await terminal.until(ended(0))
    await demo.waitFor('first', ({ status }) => status === 'Stopped')
    expect((await demo.native('GET', '/containers/first')).json).toMatchObject({ exitCode: 3 })
  })

  test('exec --interactive: a shell beside the container’s own process', async () => {
    await box('second')
    await using terminal = await openstack('exec', '--interactive', 'second', 'sh')
    await terminal.until(/\/ # /)
    await terminal.type('echo mine-$((40+2)) $(tty)')
    await terminal.until(/^mine-42 \/dev\/pts\/\d/m)
    await terminal.type('stty size')
    await terminal.until(/^30 100$/m)
    await terminal.type('exit')
    await terminal.until(ended(0))
    expect((await demo.zun('GET', '/containers/second')).json.status).toBe('Running')
  })

  test('attach: two see the same, and one that is torn away leaves the other', async () => {
    await box('third')
    await using one = await openstack('attach', 'third')
    const two = await openstack('attach', 'third')
    await one.until(/press Enter/)
    await two.until(/press Enter/)
    await one.type('echo from-$((1+0))')
    await one.until(/^from-1$/m)
    await two.until(/^from-1$/m)
    await two.type('echo from-$((1+1))')
    await one.until(/^from-2$/m)
    await two[Symbol.asyncDispose]()
    await one.type('echo still-$((2+1))')
    await one.until(/^still-3$/m)
    // The engine's own way to leave a terminal.
    await one.keys('C-p', 'C-q')
    await one.until(ended(0))
    expect((await demo.zun('GET', '/containers/third')).json.status).toBe('Running')
  })

  test('attach to what is not interactive, or does not run, is refused', async () => {
    await box('fourth', { interactive: false, tty: false, command: ['sleep', '1000'] })
    await using refused = await openstack('attach', 'fourth')
    await refused.until(/not created interactive/)
    await box('fifth')
    expect((await demo.zun('POST', '/containers/fifth/stop?timeout=0')).status).toBe(202)
    await demo.waitFor('fifth', ({ status }) => status === 'Stopped')
    const answer = await demo.zun('GET', '/containers/fifth/attach')
    expect(answer.status).toBe(409)
  })
})

describe('the address of a session', () => {
  const attachUrl = async (ref: string) =>
    (await demo.zun('GET', `/containers/${ref}/attach`)).json as unknown as string

  /** 101, or the status of the refusal; a connection is closed again. */
  async function tried(url: string, options: ClientOptions = {}): Promise<number> {
    const ws = new WebSocket(url, ['binary', 'base64'], options)
    ws.on('error', () => undefined)
    const answer = await Promise.race([
      once(ws, 'open').then(() => 101),
      once(ws, 'unexpected-response').then(([, response]) => (response as { statusCode: number }).statusCode),
    ])
    ws.terminate()
    return answer
  }

  test('opens once, for pages that may, and its token is in no log', async () => {
    const id = await box('sixth')
    const url = await attachUrl('sixth')
    expect(url).toMatch(new RegExp(`^ws://127\\.0\\.0\\.1:\\d+/container/console/\\?token=[0-9a-f]{64}&uuid=${id}$`))
    const other = await box('seventh')
    expect(await tried((await attachUrl('sixth')).replace(id, other))).toBe(403)
    expect(await tried(await attachUrl('sixth'), { origin: 'https://evil.example' })).toBe(403)
    expect(await tried(await attachUrl('sixth'), { origin: 'https://dashboard.example' })).toBe(101)
    expect(await tried(await attachUrl('sixth'), { origin: 'http://127.0.0.1:None' })).toBe(101)
    expect(await tried(url)).toBe(101)
    expect(await tried(url)).toBe(403)
    const token = new URL(url).searchParams.get('token') ?? ''
    const log = await readFile(join(gantry.home, 'server.log'), 'utf8')
    expect(log).toContain('console refused')
    expect(log).not.toContain(token)
    expect(log).not.toContain('token=')
  })

  test('of a container that went is refused', async () => {
    await box('eighth')
    const url = await attachUrl('eighth')
    expect((await demo.zun('DELETE', '/containers/eighth?stop=true')).status).toBe(204)
    await expect.poll(async () => (await demo.zun('GET', '/containers/eighth')).status, { timeout: 20_000 }).toBe(404)
    expect(await tried(url)).toBe(403)
  })

  test('100 MB flow through a command at the pace of its reader, in bounded memory', async () => {
    await box('ninth')
    const command = encodeURIComponent('sh -c \'head -c 100000000 /dev/zero | tr "\\000" x; exit 5\'')
    const path = `/containers/ninth/execute?command=${command}&run=False&interactive=False`
    const { json } = await demo.zun('POST', path)
    const before = await Promise.all([gantry.server.pid, gantry.agent.pid].map(peakOf))
    const ws = new WebSocket((json as unknown as { proxy_url: string }).proxy_url, ['binary'])
    let bytes = 0
    ws.on('message', (data: Buffer) => {
      bytes += data.length
      // A reader that is slow at times.
      if (bytes % 64 < 1) {
        ws.pause()
        setTimeout(() => ws.resume(), 2)
      }
    })
    const [code, reason] = (await once(ws, 'close')) as [number, Buffer]
    expect({ code, reason: reason.toString(), bytes }).toEqual({
      code: 1000,
      reason: 'The command ended with exit code 5.',
      bytes: 100_000_000,
    })
    const after = await Promise.all([gantry.server.pid, gantry.agent.pid].map(peakOf))
    for (const [index, peak] of after.entries()) expect(peak - (before[index] ?? 0)).toBeLessThan(80)
  })

  test('a command that was made ready runs in the size it was told, and a late resize is a 400', async () => {
    await box('tenth')
    const path = '/containers/tenth/execute?command=sh&run=False&interactive=True'
    const { json } = await demo.zun('POST', path)
    const { exec_id, proxy_url } = json as unknown as { exec_id: string; proxy_url: string }
    const resize = () => demo.zun('POST', `/containers/tenth/execute_resize?exec_id=${exec_id}&h=33&w=77`)
    expect((await resize()).status).toBe(200)
    const ws = new WebSocket(proxy_url, ['binary'])
    let text = ''
    ws.on('message', (data: Buffer) => (text += data.toString()))
    await once(ws, 'open')
    ws.send(Buffer.from('stty size\n'))
    await expect.poll(() => text).toContain('33 77')
    ws.send(Buffer.from('exit\n'))
    await once(ws, 'close')
    expect((await resize()).status).toBe(400)
  })
})

/** Most memory a process ever held, in MB. */
async function peakOf(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024
}

describe('gantry in a terminal', () => {
  test('run -it, leave with Ctrl-P Ctrl-Q, attach again, end with the exit code', async () => {
    const first = await cli('run', '-it', '--name', 'mine', 'busybox:latest', 'sh')
    await first.until(/\/ # /)
    await first.type('X=kept; stty size')
    await first.until(/^30 100$/m)
    await first.keys('C-p', 'C-q')
    await first.until(/Left mine, which runs on/)
    await first.until(ended(0))
    await first[Symbol.asyncDispose]()

    await using again = await cli('attach', 'mine')
    await again.until(/\/ # /)
    await again.type('echo $X-$((1+1))')
    await again.until(/^kept-2$/m)
    await again.resize(90, 20)
    await expect
      .poll(async () => {
        await again.type('stty size')
        return again.screen()
      })
      .toMatch(/^20 90$/m)
    await again.type('exit 6')
    await again.until(ended(6))
  })

  test('run -i reads a file to its end, and attach looks on without one', async () => {
    const input = `${'line\n'.repeat(50_000)}last`
    const { code, stdout } = await gantry.cli(['run', '-i', '--rm', 'busybox:latest', 'cat'], { input })
    expect(code).toBe(0)
    expect(stdout === input).toBe(true)
    const command = ['sh', '-c', 'while read x; do [ $x = end ] && exit 4; echo got-$x; done']
    await box('eleventh', { command, tty: false })
    await using watching = await cli('attach', '--no-stdin', 'eleventh')
    const ws = new WebSocket(await attachUrl('eleventh'), ['binary'])
    await once(ws, 'open')
    await expect
      .poll(async () => {
        ws.send(Buffer.from('it\n'))
        return watching.screen()
      })
      .toContain('got-it')
    ws.send(Buffer.from('end\n'))
    await watching.until(ended(4))
  })
})

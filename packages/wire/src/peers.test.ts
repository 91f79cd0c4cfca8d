import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import type { HostId } from '@gantry/model'
import { expect, onTestFinished, test } from 'vitest'
import type { AgentCalls, CallIo } from './calls.ts'
import { type PeerLinksOptions, peerLinks } from './peer-links.ts'
import { credentialsFrom, fakeHost, hostId, relayBench, until } from './test-harness.ts'

const never = new AbortController().signal

async function aPeer(calls: Partial<AgentCalls>, over: Partial<PeerLinksOptions> = {}) {
  const bench = await relayBench()
  onTestFinished(() => bench.close())
  await bench.agent(fakeHost(calls).host)
  const links = peerLinks({ ...(await bench.ca.issuePeer('s2')), ca: bench.ca.certificate, log: bench.log, ...over })
  onTestFinished(() => links.close())
  const at = () => links.calls(async () => `127.0.0.1:${bench.relay.port}`, hostId)
  return { bench, links, at }
}

test('a call to a host of another server has its input and output, both ways and whole', async () => {
  const exec = async (_: object, { input }: CallIo) => ({ reply: { execId: 'e' }, output: Readable.from(input ?? []) })
  const { at } = await aPeer({ exec })
  const sent = Buffer.alloc(3_000_000, 'x')
  const args = { id: 'c', command: ['cat'], environment: {}, workdir: null, user: null, tty: false, stdin: true }
  const { reply, output } = await at().exec(args as never, { input: Readable.from([sent]), signal: never })
  expect(reply).toEqual({ execId: 'e' })
  expect((await buffer(output as Readable)).equals(sent)).toBe(true)
})

test('what the reader does not take is not read from the host either, and what it lets go of is let go of there', async () => {
  let read = 0
  let ended = false
  const endless = () =>
    new Readable({
      read() {
        read += 65_536
        this.push(Buffer.alloc(65_536))
      },
      destroy(error, done) {
        ended = true
        done(error)
      },
    })
  const { at } = await aPeer({ logs: async () => ({ reply: { framed: false }, output: endless() }) })
  const asked = { id: 'c', stdout: true, stderr: true, timestamps: false, follow: true, tail: null, since: null }
  const { output } = await at().logs({ ...asked, until: null } as never, { signal: never })
  await new Promise((resolve) => setTimeout(resolve, 300))
  const held = read
  // Two lines of one window each, and what the sockets hold.
  expect(held).toBeLessThan(16 * 1024 * 1024)
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(read).toBe(held)
  output?.destroy()
  await until(() => ended, 'the host lets go')
})

test('a host that does not hang there is unreachable, as is a server that is gone', async () => {
  const { bench, links } = await aPeer({})
  const ask = (peer: string, id: string) =>
    links.calls(async () => peer, id as HostId).stats({ id: 'c' as never }, { signal: never })
  const there = `127.0.0.1:${bench.relay.port}`
  await expect(ask(there, 'other')).rejects.toMatchObject({ code: 'host.unreachable', details: { host: 'other' } })
  await expect(ask('127.0.0.1:1', hostId)).rejects.toMatchObject({ code: 'host.unreachable' })
  await expect(ask(there, hostId)).rejects.toMatchObject({ code: 'request.unsupported' })
})

test('nobody but a server is let in where servers call each other', async () => {
  const { bench } = await aPeer({})
  const agent = await credentialsFrom(bench.ca)
  const user = await bench.ca.issueServer(['localhost'])
  for (const wrong of [agent, user]) {
    const links = peerLinks({ ...wrong, ca: bench.ca.certificate, log: bench.log })
    const call = links
      .calls(async () => `127.0.0.1:${bench.relay.port}`, hostId)
      .stats({ id: 'c' as never }, { signal: never })
    await expect(call).rejects.toMatchObject({ code: 'host.unreachable' })
    links.close()
  }
  expect(bench.log.messages.filter((message) => message.startsWith('connection refused'))).toHaveLength(2)
})

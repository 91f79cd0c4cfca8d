import tls from 'node:tls'
import { once } from 'node:events'
import { Fault } from '@gantry/kernel'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { dialTcp } from './dial.ts'
import { enrol } from './enrol.ts'
import { formatJoinToken, parseJoinToken } from './join-token.ts'
import { protocols } from './protocols.ts'
import { fakeHost, hostId, relayBench, temporaryCa, until } from './test-harness.ts'

const secret = 's'.repeat(32)
let spent: string[]
let bench: Awaited<ReturnType<typeof relayBench>>
beforeEach(async () => {
  spent = []
  bench = await relayBench({
    enrol: async (id, given) => {
      if (spent.includes(id)) throw new Fault('agent.token-refused', { reason: 'it has been used' })
      if (given !== secret) throw new Fault('agent.token-refused', { reason: 'it is not known' })
      spent.push(id)
      return { hostId, deployment: 'cloud' }
    },
  })
})
afterEach(() => bench.close())

const token = (over: object = {}) => formatJoinToken({ fingerprint: bench.ca.fingerprint, id: 't1', secret, ...over })
const join = (text: string, dial = bench.dial) => enrol({ dial, token: text, hostname: 'machine' })

describe('a join token', () => {
  test('is one word that says everything', () => {
    expect(parseJoinToken(` ${token()}\n`)).toEqual({ fingerprint: bench.ca.fingerprint, id: 't1', secret })
  })

  test.each(['', 'gj1', 'gj1.abc.t1.secret', 'x.y.z'])(
    'is refused in one sentence that does not repeat it: %j',
    (text) => {
      expect(() => parseJoinToken(text)).toThrow(expect.objectContaining({ code: 'request.invalid' }))
    },
  )
})

describe('enrolment', () => {
  test('gives credentials with which the agent connects', async () => {
    const credentials = await join(token())
    expect(credentials).toMatchObject({ hostId, deployment: 'cloud' })
    await bench.agent(fakeHost().host, { credentials })
    expect(bench.relay.links.connected(hostId)).toBe(true)
  })

  test('refuses a token the second time, and a wrong secret', async () => {
    await join(token())
    await expect(join(token())).rejects.toMatchObject({ code: 'agent.token-refused' })
    await expect(join(token({ id: 't2', secret: 'x'.repeat(32) }))).rejects.toMatchObject({
      code: 'agent.token-refused',
    })
    expect(bench.log.messages.join()).not.toContain(secret)
  })

  test('sends nothing to a server with another CA', async () => {
    const other = await temporaryCa()
    await expect(join(token({ fingerprint: other.fingerprint }))).rejects.toMatchObject({ code: 'agent.wrong-server' })
    expect(spent).toEqual([])
  })

  test('sends nothing to a server that shows the right CA but was not made by it', async () => {
    const other = await temporaryCa()
    const { certificate, key } = await other.issueServer(['localhost'])
    const leaf = certificate.slice(0, certificate.indexOf('-----END') + '-----END CERTIFICATE-----\n'.length)
    const received: Buffer[] = []
    const liar = tls.createServer(
      { cert: leaf + bench.ca.certificate, key, ALPNProtocols: [protocols.enrol] },
      (socket) => {
        socket.on('error', () => {}).on('data', (chunk: Buffer) => received.push(chunk))
      },
    )
    liar.on('tlsClientError', () => {})
    liar.listen(0, '127.0.0.1')
    await once(liar, 'listening')
    const { port } = liar.address() as { port: number }
    await expect(join(token(), dialTcp({ host: '127.0.0.1', port }))).rejects.toMatchObject({
      code: 'agent.wrong-server',
    })
    expect(received).toEqual([])
    liar.close()
  })

  test('does not spend the token of a request that is broken', async () => {
    const answer = async (line: string) => {
      const socket = tls.connect({
        port: bench.relay.port,
        ca: bench.ca.certificate,
        servername: 'localhost',
        ALPNProtocols: [protocols.enrol],
      })
      socket.end(line)
      const [chunk] = (await once(socket, 'data')) as [Buffer]
      return JSON.parse(chunk.toString()) as unknown
    }
    const invalid = { kind: 'fault', fault: { code: 'request.invalid' } }
    expect(await answer('nonsense\n')).toMatchObject(invalid)
    expect(await answer('{"id":1}\n')).toMatchObject(invalid)
    expect(await answer(`${JSON.stringify({ id: 't1', secret, csr: 'x', hostname: 'h' })}\n`)).toMatchObject(invalid)
    expect(spent).toEqual([])
  })

  test('cuts off who sends without end', async () => {
    const socket = tls.connect({
      port: bench.relay.port,
      ca: bench.ca.certificate,
      servername: 'localhost',
      ALPNProtocols: [protocols.enrol],
    })
    socket.on('error', () => {})
    socket.write(Buffer.alloc(1024 * 1024, 0x20))
    await new Promise((resolve) => socket.on('close', resolve))
    await until(() => bench.log.messages.some((line) => line.startsWith('enrolment broke off')))
  })
})

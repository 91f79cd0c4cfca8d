import type { IncomingMessage } from 'node:http'
import { type Env } from '../client/credentials.ts'
import { bodyOf, type Call, httpClient } from '../client/http.ts'
import { type DockerLogin, dockerLogin } from '../docker/docker-login.ts'
import { headersOf } from '../docker/run-docker.ts'
import { exitCodes, Failure } from '../failure.ts'

/** The Docker API as one caller sees it; a refusal is a `Failure` with its sentence. */
export interface DockerApi extends Disposable {
  readonly login: DockerLogin
  json<T>(call: Call): Promise<T>
  /** A 2xx answer with its body unread. */
  stream(call: Call): Promise<IncomingMessage>
}

export async function dockerApi(env: Env, api: string | undefined): Promise<DockerApi> {
  const login = await dockerLogin(env, api)
  const client = await httpClient({ url: login.url, ca: login.dockerCa })
  const stream = async (call: Call) => {
    const answer = await client.open({ ...call, path: `/v1.44${call.path}`, headers: headersOf(login) })
    const status = answer.statusCode ?? 0
    if (status < 300 || status === 304) return answer
    throw await refusal(status, answer)
  }
  return {
    login,
    stream,
    json: async <T>(call: Call) => (await bodyOf(await stream(call))) as T,
    [Symbol.dispose]: () => client.close(),
  }
}

async function refusal(status: number, answer: IncomingMessage): Promise<Failure> {
  const { message } = ((await bodyOf(answer)) ?? {}) as { message?: string }
  const exitCode = status === 401 ? exitCodes.notLoggedIn : exitCodes.failed
  return new Failure(message ?? `The Docker API answered ${status} without saying why.`, {
    exitCode,
    code: String(status),
  })
}

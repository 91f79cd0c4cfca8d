import type { Answer, Asked, Client, User } from './client.ts'
import { dockerExec } from './docker-exec.ts'
import type { Api, Operation, Verb } from './history.ts'
import type { Random } from './random.ts'

/** One request, or several that are one to a user, and what the history is to know of it. */
export interface Step {
  readonly verb: Verb
  readonly api: Api
  readonly ask: (client: Client, user: User) => Promise<Answer>
  readonly more?: Partial<Operation>
}

/** A container, by its name and id; `volume`: of what is mounted in it. */
export interface Named {
  readonly name: string
  readonly id: string
  readonly volume?: string
}

/** What a new container is to have; only Docker's API publishes ports. */
export interface Wanted {
  readonly name: string
  readonly volume?: string
  readonly port?: number
}

const image = 'busybox:latest'
export const memoryMiB = 16
const folder = '/data'

/** What says its name to all who come to port 80, and ends at once when it is told to. */
const commandOf = (name: string) => [
  'sh',
  '-c',
  `trap 'exit 0' TERM; mkdir -p /www; echo ${name} >/www/index.html; httpd -p 80 -h /www; while :; do sleep 1 & wait; done`,
]

const once = (asked: Asked): Step['ask'] => {
  return (client, user) => client.ask(user, asked)
}

/** Makes a volume that several containers may have at once, as Docker's do. */
export function volumeStep(volume: string): Step {
  const body = { Name: volume, DriverOpts: { size: '1' } }
  const ask = once({ at: 'docker', method: 'POST', path: '/volumes/create', body })
  return { verb: 'volume', api: 'docker', ask, more: { volume } }
}

export function createStep(api: Api, { name, volume, port }: Wanted): Step {
  const of = { ...(volume !== undefined && { volume }), ...(port !== undefined && { port }) }
  const mounts = volume === undefined ? [] : [{ source: volume, destination: folder }]
  const command = commandOf(name)
  switch (api) {
    case 'zun': {
      const body = { name, image, command, memory: String(memoryMiB), cpu: 0.1, mounts }
      const ask = once({ method: 'POST', path: '/container/v1/containers?run=true', body })
      return { verb: 'create', api, ask, more: { ...of, run: true } }
    }
    case 'native': {
      const body = { name, image, command, memory: memoryMiB, cpu: 0.1, run: true, mounts }
      return {
        verb: 'create',
        api,
        ask: once({ method: 'POST', path: '/v1/containers', body }),
        more: { ...of, run: true },
      }
    }
    case 'docker': {
      const binds = volume === undefined ? [] : [`${volume}:${folder}`]
      const ports = port === undefined ? {} : { '80/tcp': [{ HostPort: String(port) }] }
      const limits = { Memory: memoryMiB << 20, NanoCpus: 100_000_000, Binds: binds, PortBindings: ports }
      const body = { Image: image, Cmd: command, HostConfig: limits }
      const ask = once({ at: 'docker', method: 'POST', path: `/containers/create?name=${name}`, body })
      return { verb: 'create', api, ask, more: { ...of, run: false } }
    }
  }
}

export function verbStep(verb: 'start' | 'stop', api: Api, { id, name }: Named): Step {
  const path = {
    zun: `/container/v1/containers/${id}/${verb}${verb === 'stop' ? '?timeout=2' : ''}`,
    native: `/v1/containers/${id}/${verb}`,
    docker: `/containers/${name}/${verb}${verb === 'stop' ? '?t=2' : ''}`,
  }[api]
  return { verb, api, ask: once({ ...(api === 'docker' && { at: 'docker' }), method: 'POST', path }) }
}

export function deleteStep(api: Api, { id, name }: Named): Step {
  const path = {
    zun: `/container/v1/containers/${id}?stop=true`,
    native: `/v1/containers/${id}?stop=true`,
    docker: `/containers/${name}?force=true`,
  }[api]
  return { verb: 'delete', api, ask: once({ ...(api === 'docker' && { at: 'docker' }), method: 'DELETE', path }) }
}

export function lookStep({ id }: Named): Step {
  return { verb: 'look', api: 'native', ask: once({ method: 'GET', path: `/v1/containers/${id}` }) }
}

/** Prints a word. */
export function execStep(one: Named, random: Random): Step {
  const word = wordOf(random)
  return { verb: 'exec', ...inContainer(one, `echo ${word}`, random), more: { expected: `${word}\n` } }
}

/** Makes a file in the volume of the container, safe on its disk before that is said. */
export function writeStep(one: Named & { readonly volume: string }, random: Random): Step {
  const line = wordOf(random)
  const file = `${one.name}-${wordOf(random)}`
  const script = `echo ${line} | dd of=${folder}/${file} conv=fsync 2>/dev/null && echo written`
  const more = { expected: 'written\n', volume: one.volume, file, line }
  return { verb: 'write', ...inContainer(one, script, random), more }
}

const wordOf = (random: Random) => `word-${Math.floor(random.next() * 1e9)}`

function inContainer({ id, name }: Named, script: string, random: Random): Pick<Step, 'api' | 'ask'> {
  if (random.chance(0.5)) {
    return { api: 'docker', ask: (client, user) => dockerExec(client, user, name, ['sh', '-c', script]) }
  }
  const query = new URLSearchParams({ command: `sh -c "${script}"`, run: 'true', interactive: 'false' })
  const path = `/container/v1/containers/${id}/execute?${query.toString()}`
  return { api: 'zun', ask: once({ method: 'POST', path }) }
}

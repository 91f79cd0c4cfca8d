import { UsageError } from './options.ts'

interface Given {
  readonly name: string
  readonly socket?: string | undefined
  readonly 'docker-socket'?: string[] | undefined
  readonly 'no-sweep'?: boolean | undefined
}

/** What Docker's plugins have in common: their name, where Docker finds them, and the engines whose leftovers they sweep. */
export function pluginPlaces({ name, socket, ...values }: Given) {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(name)) throw new UsageError(`"${name}" cannot be a driver's name.`)
  const engines = values['docker-socket'] ?? ['/var/run/docker.sock']
  return {
    name,
    socket: socket ?? `/run/docker/plugins/${name}.sock`,
    engineSockets: values['no-sweep'] === true ? [] : engines.map((path) => path.replace(/^unix:\/\//, '')),
  }
}

/** Milliseconds. Throws `UsageError`. */
export function secondsOf(text: string, option: string): number {
  const seconds = Number(text)
  if (text.trim() === '' || !(seconds >= 0)) throw new UsageError(`${option} is a number of seconds, not "${text}".`)
  return seconds * 1000
}

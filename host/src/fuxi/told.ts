import { reasonOf } from '@gantry/kernel'
import { isOpenStackError } from '@gantry/openstack'
import { PluginRefusal, PluginSilence } from '../network/plugin-server.ts'
import { problemSentence } from '../volumes/problem-sentence.ts'
import { ProgramError } from '../volumes/run-program.ts'

const names: Readonly<Record<string, string>> = {
  volume: 'Cinder',
  cinder: 'Cinder',
  share: 'Manila',
  manila: 'Manila',
  identity: 'Keystone',
}

/** As people say it: of a provider of volumes, or a service. */
export function nameOfService(name: string): string {
  return names[name] ?? name
}

/** What went wrong, as a sentence for the user of the engine. */
export function told(error: unknown): unknown {
  if (error instanceof PluginRefusal || error instanceof PluginSilence) return error
  if (isOpenStackError(error)) {
    const { failure, service, status } = error
    const name = nameOfService(service)
    const reason = error.reason.endsWith('.') ? error.reason : `${error.reason}.`
    if (failure === 'unreachable') return new PluginRefusal(503, `${name} does not answer: ${reason}`, error)
    return new PluginRefusal(status ?? 502, `${name}: ${reason}`, error)
  }
  if (error instanceof ProgramError) return new PluginRefusal(500, problemSentence(error), error)
  if (error instanceof DOMException && error.name === 'TimeoutError') {
    return new PluginRefusal(504, 'It took too long; what was begun goes on or is taken back. Do it again.', error)
  }
  return error
}

/** null: the service has no such thing, or no more. */
export async function unlessGone<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work
  } catch (error) {
    if (isOpenStackError(error, 404)) return null
    throw error
  }
}

/** For a log line. */
export function reasonToldOf(error: unknown): string {
  return reasonOf(told(error))
}

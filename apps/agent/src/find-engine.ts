import { request } from 'node:http'
import { join } from 'node:path'
import { UsageError } from './options.ts'

const patienceMs = 5000

/** The socket of the engine that answers first among the usual ones. Throws `UsageError` that says what is missing. */
export async function findEngine(env: NodeJS.ProcessEnv): Promise<string> {
  const places = ['/var/run/docker.sock', '/run/podman/podman.sock']
  const runtimeDir = env['XDG_RUNTIME_DIR']
  if (runtimeDir) places.push(join(runtimeDir, 'docker.sock'), join(runtimeDir, 'podman', 'podman.sock'))
  for (const place of places) if (await answers(place)) return place
  throw new UsageError(
    'No container engine answers on this machine. Install and start one (apt-get install docker.io, or podman with ' +
      'systemctl enable --now podman.socket), or name the socket of one with --engine unix:///PATH.',
  )
}

/** Whether an engine answers there. */
function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const call = request({ socketPath, path: '/_ping', agent: false, timeout: patienceMs }, (answer) => {
      answer.resume()
      resolve(answer.statusCode === 200)
    })
    call.on('timeout', () => call.destroy())
    call.on('error', () => resolve(false))
    call.end()
  })
}

import type { Asked, Client, User } from './client.ts'
import { dockerExec } from './docker-exec.ts'
import type { VolumeRead } from './history.ts'
import { eventually } from './waiting.ts'

const patienceSeconds = 30
const script = 'cd /data && for file in *; do [ -f "$file" ] && echo "$file $(head -n 1 "$file")"; done; true'

/** Reads all volumes of a project, each in a new container; then they are deleted. */
export async function readVolumes(client: Client, user: User): Promise<VolumeRead[]> {
  let volumes: { id: string; name: string }[] = []
  await eventually(async () => {
    const { status, json } = await client.ask(user, { method: 'GET', path: '/v1/volumes' })
    if (status === 200) ({ volumes } = json as { volumes: { id: string; name: string }[] })
    return status === 200
  }, patienceSeconds)
  return Promise.all(
    volumes.map(async ({ id, name }) => {
      const read = await readOne(client, user, name)
      await eventually(async () => {
        const { status } = await client.ask(user, { method: 'DELETE', path: `/v1/volumes/${id}` })
        return status === 202 || status === 404
      }, patienceSeconds)
      return read
    }),
  )
}

async function readOne(client: Client, user: User, volume: string): Promise<VolumeRead> {
  const reader = `reader-of-${volume}`
  let problem = 'it was not tried'
  let files: Map<string, string> | null = null
  const ask = async (asked: Omit<Asked, 'at'>): Promise<void> => {
    const { status, text } = await client.ask(user, { ...asked, at: 'docker' })
    if (status !== null && (status < 300 || [304, 404].includes(status))) return
    // Made before, by a request whose answer did not come. Another conflict says what is wrong with the volume.
    if (status === 409 && text.includes('already in use')) return
    problem = `${asked.method} ${asked.path}: ${status ?? 'no answer'} ${text}`
    throw new Error(problem)
  }
  const host = { Binds: [`${volume}:/data:ro`], NetworkMode: 'none' }
  const body = { Image: 'busybox:latest', Cmd: ['sleep', '600'], HostConfig: host }
  await eventually(async () => {
    await ask({ method: 'POST', path: `/containers/create?name=${reader}`, body })
    await ask({ method: 'POST', path: `/containers/${reader}/start` })
    const { status, text, json } = await dockerExec(client, user, reader, ['sh', '-c', script])
    const { output = '', exit_code: code } = json as { output?: string; exit_code?: number }
    problem = `reading it: ${status ?? 'no answer'} ${text}${output} (${code ?? 'no exit code'})`
    files = code === 0 ? filesIn(output) : null
    return files !== null
  }, patienceSeconds)
  await eventually(async () => {
    await ask({ method: 'DELETE', path: `/containers/${reader}?force=true` })
    return true
  }, patienceSeconds)
  return { project: user.project, volume, files, ...(files === null && { problem }) }
}

function filesIn(output: string): Map<string, string> {
  const lines = output.split('\n').filter((line) => line !== '')
  return new Map(lines.map((line) => [line.split(' ')[0] ?? '', line.slice(line.indexOf(' ') + 1)] as const))
}

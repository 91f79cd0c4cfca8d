import type { FastifyInstance } from 'fastify'
import type { DockerContext } from '../context.ts'
import { everyContainer } from '../every-container.ts'
import { surroundingsOf } from '../look-around.ts'
import { imageSummaries } from '../translate-images.ts'
import { summaryOf } from '../translate-list.ts'
import { volumeViews } from '../translate-volumes.ts'

interface Asked {
  readonly Querystring: Readonly<Record<string, string | readonly string[] | undefined>>
}

/** `GET /system/df`: what the project's own things take, as far as it is known. */
export function diskUsageRoutes(app: FastifyInstance, docker: DockerContext): void {
  app.get<Asked>('/system/df', async (request) => {
    const caller = docker.callerOf(request)
    const minor = docker.versionOf(request)
    const types = minor >= 42 ? [request.query['type'] ?? []].flat() : []
    const wants = (type: string) => types.length === 0 || types.includes(type)
    const [images, containers, volumes] = await Promise.all([
      wants('image') ? imageSummaries(docker, caller, minor) : null,
      wants('container') ? everyContainer(docker.control, caller) : null,
      wants('volume') ? volumeViews(docker, caller) : null,
    ])
    const around = await surroundingsOf(docker, caller, containers ?? [])
    const sizes = new Map((images ?? []).map((image) => [image.Id, image.Size]))
    return {
      ...(images && { LayersSize: [...sizes.values()].reduce((sum, size) => sum + size, 0), Images: images }),
      ...(containers && { Containers: containers.map((each) => summaryOf(each, around, docker.clock.now())) }),
      ...(volumes && { Volumes: volumes }),
      ...(wants('build-cache') && { BuildCache: [] }),
      ...(minor < 42 && { BuilderSize: 0 }),
    }
  })
}

import swagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import type { TSchema } from 'typebox'

export interface OpenApiOptions {
  readonly title: string
  readonly description: string
  readonly version: string
  readonly tags: readonly { name: string; description: string }[]
  /** Shared schemas by name; routes refer to one as `{ $ref: 'Name#' }`. */
  readonly schemas: Readonly<Record<string, TSchema>>
}

/**
 * Collects the routes that are registered on `app` from now on into an OpenAPI 3.1 document, which `app.swagger()` returns.
 * The security schemes are the two that `authenticate` understands.
 */
export async function openApi(app: FastifyInstance, options: OpenApiOptions): Promise<void> {
  for (const [name, schema] of Object.entries(options.schemas)) app.addSchema({ ...schema, $id: name })
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: options.title,
        description: options.description,
        version: options.version,
        license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
      },
      servers: [{ url: '/', description: 'this server' }],
      tags: [...options.tags],
      security: [{ token: [] }, { bearer: [] }],
      components: {
        securitySchemes: {
          token: { type: 'apiKey', in: 'header', name: 'X-Auth-Token', description: 'A Keystone token.' },
          bearer: { type: 'http', scheme: 'bearer', description: 'The same token.' },
        },
      },
    },
    refResolver: {
      buildLocalReference: (json, _base, _fragment, i) => (typeof json['$id'] === 'string' ? json['$id'] : `def-${i}`),
    },
  })
}

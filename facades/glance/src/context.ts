import type { Control } from '@gantry/control'
import { callerOf } from '@gantry/http'
import type { Image, ImageId } from '@gantry/model'
import type { FastifyRequest } from 'fastify'

/** What the routes of this façade call. */
export type Images = Control['images']

export function idOf(request: FastifyRequest): ImageId {
  return (request.params as { readonly id: string }).id as ImageId
}

/** The image that the path names. Throws `image.not-found`. */
export function imageOf(images: Images, request: FastifyRequest): Promise<Image> {
  return images.get(callerOf(request), idOf(request))
}

/** A body, or a part of one, that should be an object. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

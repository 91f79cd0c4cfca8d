import { Fault } from '@gantry/kernel'
import type { FastifyRequest } from 'fastify'

/** Minor versions of API 1.x. Clients from 1.24 to the newest meet in this range (docs/api/docker.md). */
export const oldestVersion = 24
export const newestVersion = 44
export const engineVersion = '25.0.0'

/** Where the version stands in a path; everything else of the path is the same with and without it. */
export const versionPrefix = '/:apiVersion(^v[0-9]+\\.[0-9]+$)'

/** The minor version that the client speaks; an unversioned path means the newest. */
export function versionOf(request: FastifyRequest): number {
  const { apiVersion } = request.params as { apiVersion?: string }
  return apiVersion === undefined ? newestVersion : minorOf(apiVersion)
}

/** Throws `request.invalid` in the words that clients know. */
export function minorOf(version: string): number {
  const [, major = '', minor = ''] = /^v(\d+)\.(\d+)$/.exec(version) ?? []
  const number = Number(major) === 1 ? Number(minor) : Number(major) > 1 ? Number.POSITIVE_INFINITY : -1
  const plain = version.slice(1)
  if (number < oldestVersion) {
    throw new Fault('request.invalid', {
      problem: `client version ${plain} is too old. Minimum supported API version is 1.${oldestVersion}, please upgrade your client to a newer version`,
    })
  }
  if (number > newestVersion) {
    throw new Fault('request.invalid', {
      problem: `client version ${plain} is too new. Maximum supported API version is 1.${newestVersion}`,
    })
  }
  return number
}

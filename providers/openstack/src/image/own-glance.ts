import type { OwnExchange } from '@gantry/control'
import { allOf, type Content, imageService, isOpenStackError } from '@gantry/openstack'
import { deploymentProperty, foreignImage, recordOf } from './foreign-image.ts'
import { asking, askingIfAny, ifNotYet, opened } from './glance-calls.ts'
import type { GlanceParts } from './glance-exchange.ts'

/** Glance with Gantry's own rights, for what happens by itself. */
export function ownGlance({ access, deployment }: Omit<GlanceParts, 'clock'>): OwnExchange {
  const glance = imageService(access.service)
  const context = () => access.ownContext()
  return {
    async get(id) {
      const found = await askingIfAny(() => glance.show(id, context()))
      return found && foreignImage(found)
    },
    open: (id, signal) => opened(glance, id, { signal }),
    async send(id, sent, signal) {
      const content: Content = { open: () => sent.open(), bytes: sent.size, canReopen: true }
      try {
        await glance.upload(id, content, { signal })
        return 'sent'
      } catch (error) {
        if (isOpenStackError(error, 404) || isOpenStackError(error, 410)) return 'gone'
        if (isOpenStackError(error, 409)) return 'busy'
        return asking(id, () => Promise.reject(error))
      }
    },
    async announce(image) {
      await asking(image.name, () => glance.create(recordOf(image, { deployment, withOwner: true }), context()))
    },
    share: (id, projectId) => asking(id, () => ifNotYet(glance.members.add(id, projectId, context()))),
    async remove(id) {
      await asking(id, () => glance.remove(id, context()))
    },
    async unfinished(before) {
      const images = await asking('', () => allOf(glance.list({ [deploymentProperty]: deployment }, context())))
      return images.flatMap((image) => {
        const { id, status, createdAt } = foreignImage(image)
        const isLeft = (status === 'queued' || status === 'saving') && createdAt < before
        return isLeft ? [id] : []
      })
    },
  }
}

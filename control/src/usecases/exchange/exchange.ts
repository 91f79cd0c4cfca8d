import type { Catalogue } from '../../catalogue.ts'
import { announcing } from './announcing.ts'
import type { ExchangeParts } from './exchange-parts.ts'
import { exchangeRounds, type ExchangeRounds } from './exchange-rounds.ts'
import { looking } from './looking.ts'
import { createSender } from './sender.ts'
import { taking } from './taking.ts'

/** A catalogue whose images are those of the cloud's image service as well, and what must run for that. */
export function exchanged(parts: ExchangeParts): { readonly catalogue: Catalogue; readonly rounds: ExchangeRounds } {
  const { exchange, store, catalogue } = parts
  const sender = createSender(parts)
  const { find, ...seen } = looking(parts, taking(parts))
  return {
    rounds: exchangeRounds(parts, sender),
    catalogue: {
      ...catalogue,
      ...announcing(parts, sender),
      find,
      async dropImages(images) {
        await catalogue.dropImages(images)
        sender.wake(images.map(({ id }) => id))
      },
      elsewhere: {
        ...seen,
        async withdraw(caller, images) {
          for (const { id } of images) {
            if (await store.exchangedImages.get(id)) await exchange.remove(caller, id)
          }
        },
        async change(caller, image, change) {
          if (await store.exchangedImages.get(image.id)) await exchange.change(caller, image.id, change)
        },
        async share(caller, id, projectId) {
          if (await store.exchangedImages.get(id)) await exchange.share(caller, id, projectId)
        },
        async answer(caller, id, projectId, status) {
          if (await store.exchangedImages.get(id)) await exchange.answer(caller, id, projectId, status)
        },
        async unshare(caller, id, projectId) {
          if (await store.exchangedImages.get(id)) await exchange.unshare(caller, id, projectId)
        },
      },
    },
  }
}

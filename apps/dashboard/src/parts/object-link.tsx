import { Anchor } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import type { ChangeView } from '@gantry/facade-native/views'

interface Place {
  readonly to: string
  readonly search?: Readonly<Record<string, string>>
}

const places: Readonly<Record<string, Place>> = {
  volume: { to: '/volumes' },
  snapshot: { to: '/volumes', search: { tab: 'snapshots' } },
  backup: { to: '/volumes', search: { tab: 'backups' } },
  network: { to: '/networks' },
  subnet: { to: '/networks', search: { tab: 'subnets' } },
  port: { to: '/networks', search: { tab: 'ports' } },
  router: { to: '/networks', search: { tab: 'routers' } },
  floating_ip: { to: '/networks', search: { tab: 'floating-ips' } },
  security_group: { to: '/networks', search: { tab: 'groups' } },
  registry: { to: '/registries' },
  image: { to: '/images' },
  host: { to: '/hosts' },
}

/** Where one sees the object that a change is about; undefined where it is gone or has no page. */
export function linkOf({ type, objectId }: Pick<ChangeView, 'type' | 'objectId'>): Place | undefined {
  const [noun = '', verb] = type.split('.')
  if (type === 'container.delete.end' || verb === 'delete') return undefined
  if (noun === 'container') return { to: `/containers/${encodeURIComponent(objectId)}` }
  if (noun === 'quota') return { to: '/quotas' }
  const place = places[noun]
  return place && { ...place, search: { ...place.search, open: objectId } }
}

/** A link to a place that is computed, which the router's own types cannot follow. */
export function PlaceLink({ to, search = {}, children }: Place & { readonly children: ReactNode }) {
  return (
    <Anchor size="sm" fw={600} renderRoot={(props) => <Link {...props} to={to} search={search as never} />}>
      {children}
    </Anchor>
  )
}

/** The name of what a change is about, which leads to it while it is there. */
export function ChangedObject({ change, name }: { readonly change: ChangeView; readonly name: string }) {
  const place = linkOf(change)
  return place ? <PlaceLink {...place}>{name}</PlaceLink> : <b>{name}</b>
}

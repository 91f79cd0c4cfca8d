import { Anchor } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import type { ChangeView } from '@gantry/facade-native/views'

interface Place {
  readonly to: string
  readonly search?: Readonly<Record<string, string>>
}

const places: Readonly<Record<string, string>> = {
  volume: '/volumes',
  network: '/networks',
  image: '/images',
  host: '/hosts',
}

/** Where one sees the object that a change is about; undefined where it is gone or has no page. */
export function linkOf({ type, objectId }: Pick<ChangeView, 'type' | 'objectId'>): Place | undefined {
  const [noun = '', verb] = type.split('.')
  if (type === 'container.delete.end' || verb === 'delete') return undefined
  if (noun === 'container') return { to: `/containers/${encodeURIComponent(objectId)}` }
  if (noun === 'quota') return { to: '/quotas' }
  const to = places[noun]
  return to === undefined ? undefined : { to, search: { open: objectId } }
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

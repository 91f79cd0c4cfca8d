import { NavLink } from '@mantine/core'
import {
  IconBox,
  IconBuildingWarehouse,
  IconClipboardList,
  IconDatabase,
  IconGauge,
  IconHistory,
  IconLayoutDashboard,
  IconNetwork,
  type IconProps,
  IconRocket,
  IconServer,
  IconSitemap,
  IconStack2,
  IconUsers,
} from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import type { ComponentType } from 'react'
import type { SessionView } from '../api/session.ts'

interface Place {
  readonly to: RoutePath
  readonly label: string
  readonly icon: ComponentType<IconProps>
  readonly adminsOnly?: boolean
  /** Only where this server keeps users and projects itself. */
  readonly ownIdentityOnly?: boolean
}

type RoutePath =
  | '/'
  | '/containers'
  | '/launch'
  | '/images'
  | '/networks'
  | '/topology'
  | '/volumes'
  | '/registries'
  | '/quotas'
  | '/events'
  | '/audit'
  | '/hosts'
  | '/identity'

const places: readonly Place[] = [
  { to: '/', label: 'Overview', icon: IconLayoutDashboard },
  { to: '/containers', label: 'Containers', icon: IconBox },
  { to: '/launch', label: 'Launch', icon: IconRocket },
  { to: '/images', label: 'Images', icon: IconStack2 },
  { to: '/networks', label: 'Networks', icon: IconNetwork },
  { to: '/topology', label: 'Topology', icon: IconSitemap },
  { to: '/volumes', label: 'Volumes', icon: IconDatabase },
  { to: '/registries', label: 'Registries', icon: IconBuildingWarehouse },
  { to: '/quotas', label: 'Quotas', icon: IconGauge },
  { to: '/events', label: 'Events', icon: IconHistory },
  { to: '/audit', label: 'Audit', icon: IconClipboardList, adminsOnly: true },
  { to: '/hosts', label: 'Hosts', icon: IconServer, adminsOnly: true },
  { to: '/identity', label: 'Users and projects', icon: IconUsers, adminsOnly: true, ownIdentityOnly: true },
]

interface NavigationProps {
  readonly session: Pick<SessionView, 'isAdmin' | 'ownIdentity'>
  readonly onGo: () => void
}

/** Where one can go. */
export function Navigation({ session: { isAdmin, ownIdentity }, onGo }: NavigationProps) {
  return places
    .filter(
      ({ adminsOnly = false, ownIdentityOnly = false }) =>
        (isAdmin || !adminsOnly) && (ownIdentity || !ownIdentityOnly),
    )
    .map(({ to, label, icon: Icon }) => (
      <NavLink
        key={to}
        component={Link}
        to={to}
        label={label}
        leftSection={<Icon size={18} stroke={1.6} aria-hidden />}
        activeOptions={{ exact: to === '/' }}
        activeProps={{ 'data-active': true }}
        onClick={onGo}
      />
    ))
}

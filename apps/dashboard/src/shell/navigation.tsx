import { NavLink } from '@mantine/core'
import { IconBox, type IconProps, IconLayoutDashboard } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import type { ComponentType } from 'react'

interface Place {
  readonly to: '/' | '/containers'
  readonly label: string
  readonly icon: ComponentType<IconProps>
  readonly adminsOnly?: boolean
}

const places: readonly Place[] = [
  { to: '/', label: 'Overview', icon: IconLayoutDashboard },
  { to: '/containers', label: 'Containers', icon: IconBox },
]

/** Where one can go. */
export function Navigation({ isAdmin, onGo }: { readonly isAdmin: boolean; readonly onGo: () => void }) {
  return places
    .filter(({ adminsOnly = false }) => isAdmin || !adminsOnly)
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

import { Anchor, AppShell, Burger, Group, Image, ScrollArea, Text } from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { Link, Outlet } from '@tanstack/react-router'
import { useLive } from '../api/live.ts'
import { LiveMark } from './live-mark.tsx'
import { Navigation } from './navigation.tsx'
import { ProjectSwitch } from './project-switch.tsx'
import { SchemeSwitch } from './scheme-switch.tsx'
import { useSession } from './session.tsx'
import { UserMenu } from './user-menu.tsx'

/** Header, navigation and the page that is open. */
export function Shell() {
  const [opened, { toggle, close }] = useDisclosure()
  const session = useSession()
  useLive(session.project.id, session.isAdmin)
  return (
    <AppShell
      header={{ height: 52 }}
      navbar={{ width: 220, breakpoint: 'sm', collapsed: { mobile: !opened } }}
      padding={{ base: 'sm', sm: 'md' }}
    >
      <a className="skip-link" href="#content">
        Skip to the content
      </a>
      <AppShell.Header>
        <Group h="100%" px="sm" gap="xs" wrap="nowrap" justify="space-between">
          <Group gap="xs" wrap="nowrap" miw={0}>
            <Burger opened={opened} onClick={toggle} hiddenFrom="sm" size="sm" aria-label="Navigation" />
            <Anchor component={Link} to="/" underline="never" aria-label="Gantry, overview">
              <Group gap={6} wrap="nowrap">
                <Image src="/ui/icon.svg" alt="" w={26} h={26} />
                <Text fw={700} c="var(--mantine-color-text)" visibleFrom="xs">
                  Gantry
                </Text>
              </Group>
            </Anchor>
            <ProjectSwitch session={session} />
          </Group>
          <Group gap={4} wrap="nowrap">
            <LiveMark />
            <SchemeSwitch />
            <UserMenu session={session} />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" aria-label="Main">
        <ScrollArea type="auto">
          <Navigation session={session} onGo={close} />
        </ScrollArea>
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1}>
        <Outlet />
      </AppShell.Main>
    </AppShell>
  )
}

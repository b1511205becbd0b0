/** What a person types to get a Redis server where none was found. */

/**
 * One clause that names the command for this system. `osRelease` is the text of /etc/os-release,
 * empty where there is none.
 */
export function installHint(platform: NodeJS.Platform, osRelease: string): string {
  if (platform === 'darwin') return 'install one with `brew install redis`';
  if (platform === 'win32') {
    return 'start one with `docker compose up -d redis` and set REDIS_URL=redis://127.0.0.1:6379';
  }
  const families = osFamilies(osRelease);
  const command = COMMANDS.find(([family]) => families.includes(family))?.[1];
  if (command !== undefined) return `install one with \`${command}\``;
  return 'install redis-server with your package manager, or set REDIS_URL to a running server';
}

/** ID and ID_LIKE of /etc/os-release, nearest first. */
function osFamilies(osRelease: string): string[] {
  return ['ID', 'ID_LIKE'].flatMap((key) => osReleaseValue(osRelease, key).split(' '));
}

/** The value of one key of /etc/os-release without its quotes; empty where absent. */
export function osReleaseValue(osRelease: string, key: string): string {
  const line = osRelease.split('\n').find((candidate) => candidate.startsWith(`${key}=`));
  return line === undefined ? '' : line.slice(key.length + 1).replaceAll(/^["']|["']$/g, '');
}

const COMMANDS: readonly (readonly [family: string, command: string])[] = [
  ['debian', 'sudo apt-get install -y redis-server'],
  ['ubuntu', 'sudo apt-get install -y redis-server'],
  ['alpine', 'sudo apk add redis'],
  ['arch', 'sudo pacman -S valkey'],
  ['fedora', 'sudo dnf install -y valkey'],
  ['rhel', 'sudo dnf install -y redis'],
  ['suse', 'sudo zypper install -y redis'],
  ['opensuse', 'sudo zypper install -y redis'],
];

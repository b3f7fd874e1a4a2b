/**
 * Rules for names and keys, in the words of `k8s.io/apimachinery/pkg/util/validation` and `pkg/api/validate/content`.
 * Each returns the complaints about one value; none when it is valid.
 */

export type NameValidator = (name: string) => string[];

const bytes = (text: string): number => {
  let count = 0;
  for (const character of text) {
    const code = character.codePointAt(0) as number;
    count += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return count;
};

/** Length in UTF-8 bytes, as Go's len(). */
export const byteLength = bytes;

/** The newer rules (`content`) count aloud in bytes, the older ones in characters; both count bytes. */
const maxBytesError = (length: number): string => `must be no more than ${length} bytes`;

export const maxLengthError = (length: number): string => `must be no more than ${length} characters`;

export const rangeError = (low: number, high: number): string => `must be between ${low} and ${high}, inclusive`;

/** As `validation.RegexError`. */
export function regexError(message: string, format: string, ...examples: string[]): string {
  if (examples.length === 0) return `${message} (regex used for validation is '${format}')`;
  return `${message} (e.g. ${examples.map((example) => `'${example}', `).join(' or ')}regex used for validation is '${format}')`;
}

/** A rule made of a length limit and a pattern. */
function rule(max: number, format: string, message: string, ...examples: string[]): NameValidator {
  const pattern = new RegExp(`^(?:${format})$`);
  return (value) => {
    const out: string[] = [];
    if (bytes(value) > max) out.push(maxLengthError(max));
    if (!pattern.test(value)) out.push(regexError(message, format, ...examples));
    return out;
  };
}

const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const LABEL_UNDERSCORE = '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?';
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`;

export const isDns1123Subdomain = rule(
  253,
  SUBDOMAIN,
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
  'example.com',
);

export const isDns1123SubdomainWithUnderscore = rule(
  253,
  `${LABEL_UNDERSCORE}(\\.${LABEL_UNDERSCORE})*`,
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character",
  'example.com',
);

const label1123 = rule(
  63,
  LABEL,
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
  'my-name',
  '123-abc',
);

const subdomainPattern = new RegExp(`^${SUBDOMAIN}$`);

/** A valid subdomain that is no label has dots, and is told so. */
export const isDns1123Label: NameValidator = (value) =>
  label1123(value).map((message) => (message.startsWith('a lowercase') && subdomainPattern.test(value) ? 'must not contain dots' : message));

export const isWildcardDns1123Subdomain = rule(
  253,
  `\\*\\.${SUBDOMAIN}`,
  "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
  '*.example.com',
);

const KEY = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const KEY_MESSAGE = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const keyRule = rule(Infinity, KEY, KEY_MESSAGE, 'MyName', 'my.name', '123-abc');

/** Label keys, which are also "qualified names": an optional DNS prefix, a slash and a name. */
export const isLabelKey: NameValidator = (value) => {
  const parts = value.split('/');
  if (parts.length > 2) {
    return [
      `a valid label key ${regexError(KEY_MESSAGE, KEY, 'MyName', 'my.name', '123-abc')} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  const out: string[] = [];
  const name = parts.at(-1) as string;
  if (parts.length === 2) {
    const prefix = parts[0] as string;
    if (prefix === '') out.push('prefix part must be non-empty');
    else out.push(...isDns1123Subdomain(prefix).map((message) => `prefix part ${message.replace(maxLengthError(253), maxBytesError(253))}`));
  }
  if (name === '') out.push('name part must be non-empty');
  else if (bytes(name) > 63) out.push(`name part ${maxBytesError(63)}`);
  out.push(...keyRule(name).map((message) => `name part ${message}`));
  return out;
};

const labelValue = rule(
  Infinity,
  `(${KEY})?`,
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  'MyValue',
  'my_value',
  '12345',
);

export const isLabelValue: NameValidator = (value) => [...(bytes(value) > 63 ? [maxBytesError(63)] : []), ...labelValue(value)];

const directoryPrefix = (value: string): string[] => {
  if (value === '.') return ["must not be '.'"];
  if (value === '..') return ["must not be '..'"];
  return value.startsWith('..') ? ["must not start with '..'"] : [];
};

const configMapKey = rule(
  253,
  '[-._a-zA-Z0-9]+',
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
  'key.name',
  'KEY_NAME',
  'key-name',
);
export const isConfigMapKey: NameValidator = (value) => [...configMapKey(value), ...directoryPrefix(value)];

export const isEnvVarName: NameValidator = (value) => {
  const out: string[] = [];
  if (value === '') out.push('environment variable name must be non-empty');
  if (!/^[\x20-\x3c\x3e-\x7e]*$/.test(value)) out.push("a valid environment variable name must consist only of printable ASCII characters other than '='");
  return out;
};

export const isPortName: NameValidator = (value) => {
  const out: string[] = [];
  if (bytes(value) > 15) out.push(maxLengthError(15));
  if (!/^[-a-z0-9]+$/.test(value)) out.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  if (!/[a-z]/.test(value)) out.push('must contain at least one letter (a-z)');
  if (value.includes('--')) out.push('must not contain consecutive hyphens');
  if (value.startsWith('-') || value.endsWith('-')) out.push('must not begin or end with a hyphen');
  return out;
};

export const isHttpHeaderName = rule(Infinity, '[-A-Za-z0-9]+', "a valid HTTP header must consist of alphanumeric characters or '-'", 'X-Header-Name');

export const isPercent = rule(Infinity, '[0-9]+%', "a valid percent string must be a numeric string followed by an ending '%'", '1%', '93%');

/** Names that are one segment of a URL path (`path.ValidatePathSegmentName`), as RBAC objects have. */
export const isPathSegment: NameValidator = (value) => {
  if (value === '.') return ["may not be '.'"];
  if (value === '..') return ["may not be '..'"];
  return ['/', '%'].filter((character) => value.includes(character)).map((character) => `may not contain '${character}'`);
};

export const isPortNumber = (port: number): string[] => (port >= 1 && port <= 65535 ? [] : [rangeError(1, 65535)]);

/** IPv4 dotted quad or IPv6 text (`netutils.ParseIPSloppy` without the sloppiness). */
export function ipFamily(text: string): 'IPv4' | 'IPv6' | undefined {
  if (/^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/.test(text)) return 'IPv4';
  if (!/^[0-9a-fA-F:]*:[0-9a-fA-F:.]*$/.test(text) || text.includes(':::')) return undefined;
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  let groups = 0;
  for (const half of halves) {
    if (half === '') continue;
    const parts = half.split(':');
    for (const [i, part] of parts.entries()) {
      if (part.includes('.') && i === parts.length - 1 && half === halves.at(-1)) {
        if (ipFamily(part) !== 'IPv4') return undefined;
        groups += 2;
      } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups++;
      else return undefined;
    }
  }
  return (halves.length === 2 ? groups < 8 : groups === 8) ? 'IPv6' : undefined;
}

const LEADING_ZEROS = /^\d{1,3}(?:\.\d{1,3}){3}$/;

/** As `IsValidIPForLegacyField` with strict validation. */
export const isIp: NameValidator = (value) => {
  if (ipFamily(value)) return /^::ffff:\d+\./i.test(value) ? ['must not be an IPv4-mapped IPv6 address'] : [];
  if (LEADING_ZEROS.test(value) && value.split('.').every((part) => Number(part) < 256)) return ['must not have leading 0s'];
  return ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'];
};

/** As `IsValidCIDRForLegacyField` with strict validation. */
export const isCidr: NameValidator = (value) => {
  const [address = '', bits = '', ...rest] = value.split('/');
  const family = ipFamily(address);
  if (!family || rest.length > 0 || !/^\d{1,3}$/.test(bits) || Number(bits) > (family === 'IPv4' ? 32 : 128)) {
    return ['must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'];
  }
  if (family === 'IPv4') {
    const number = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
    if (number % 2 ** (32 - Number(bits)) !== 0) return ['must not have bits set beyond the prefix length'];
  }
  return [];
};

/** Addresses that traffic can be sent to (`ValidateEndpointIP`). */
export const isEndpointIp: NameValidator = (value) => {
  if (value === '0.0.0.0' || value === '::') return [`may not be unspecified (${value})`];
  if (/^127\.|^::1$/.test(value)) return ['may not be in the loopback range (127.0.0.0/8, ::1/128)'];
  if (/^169\.254\.|^fe[89ab]/i.test(value)) return ['may not be in the link-local range (169.254.0.0/16, fe80::/10)'];
  if (/^224\.0\.0\.|^ff02:/i.test(value)) return ['may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)'];
  return [];
};

/** Generated names may end in a dash (`maskTrailingDash`). */
export const maskTrailingDash = (name: string): string => (name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name);

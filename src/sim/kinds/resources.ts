import { type Check, sortedEntries } from './check.ts';
import { isLabelKey } from './meta/names.ts';
import { compareQuantities, parseQuantity, quantityMilliValue } from './quantity.ts';
import type { ResourceRequirements } from './types.ts';

/** Resource names and amounts (`validateResourceName`, `validateResourceRequirements`, `pkg/apis/core/helper`). */

const COMPUTE = ['cpu', 'memory', 'ephemeral-storage'];
const COUNTED = [
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
];
const QUOTA = new Set([...COMPUTE, ...COMPUTE.flatMap((name) => [`requests.${name}`, `limits.${name}`]), ...COUNTED, 'requests.storage']);
const STANDARD = new Set([...QUOTA, 'storage']);

export const isHugePages = (name: string): boolean => name.startsWith('hugepages-');
const isQuotaHugePages = (name: string): boolean => isHugePages(name) || name.startsWith('requests.hugepages-');
const isNative = (name: string): boolean => !name.includes('/') || name.includes('kubernetes.io/');
const isExtended = (name: string): boolean => !isNative(name) && !name.startsWith('requests.') && isLabelKey(`requests.${name}`).length === 0;
const overcommits = (name: string): boolean => isNative(name) && !isHugePages(name);

/** False when a complaint was made. */
export function checkResourceName(check: Check, field: string, name: string): boolean {
  const messages = isLabelKey(name);
  for (const message of messages) check.invalid(field, name, message);
  if (messages.length > 0) return false;
  if (name.includes('/') || STANDARD.has(name) || isQuotaHugePages(name)) return true;
  check.invalid(field, name, 'must be a standard resource type or fully qualified');
  return false;
}

export function checkQuotaResourceName(check: Check, field: string, name: string): void {
  checkResourceName(check, field, name);
  if (!name.includes('/') && !QUOTA.has(name) && !isQuotaHugePages(name)) check.invalid(field, name, 'must be a standard resource for quota');
}

/** Not negative, and whole where things are counted. */
export function checkQuantity(check: Check, field: string, name: string, amount: string): void {
  if (compareQuantities(amount, '0') < 0) check.invalid(field, amount, 'must be greater than or equal to 0');
  if ((COUNTED.includes(name) || isExtended(name)) && quantityMilliValue(amount) % 1000 !== 0) check.invalid(field, amount, 'must be an integer');
}

function checkContainerResourceName(check: Check, field: string, name: string): void {
  checkResourceName(check, field, name);
  if (!name.includes('/')) {
    if (!COMPUTE.includes(name) && !isHugePages(name)) check.invalid(field, name, 'must be a standard resource for containers');
  } else if (!isNative(name) && !isExtended(name)) check.invalid(field, name, "doesn't follow extended resource name standard");
}

function checkPodResourceName(check: Check, field: string, name: string): void {
  if (!checkResourceName(check, field, name)) return;
  if (name !== 'cpu' && name !== 'memory' && !isHugePages(name)) check.notSupported(field, name, ['cpu', 'hugepages-', 'memory']);
}

function checkHugePages(check: Check, field: string, name: string, amount: string): void {
  let size = 0n;
  try {
    size = parseQuantity(name.slice('hugepages-'.length)).nano;
  } catch {
    // A name without a page size cannot be divided by it.
  }
  if (size <= 0n || parseQuantity(amount).nano % size !== 0n) check.invalid(field, amount, `${amount} is not positive integer multiple of ${name}`);
}

/** Requests and limits of a container, or (`ofPod`) of a whole Pod. */
export function checkResources(check: Check, field: string, resources: ResourceRequirements | undefined, claims: ReadonlySet<string>, ofPod = false): void {
  const { limits, requests } = resources ?? {};
  let compute = false;
  let hugePages = false;
  const common = (at: string, name: string, amount: string): void => {
    (ofPod ? checkPodResourceName : checkContainerResourceName)(check, at, name);
    checkQuantity(check, at, name, amount);
    if (name === 'cpu' || name === 'memory') compute = true;
  };
  for (const [name, amount] of sortedEntries(limits)) {
    const at = `${field}.limits[${name}]`;
    common(at, name, amount);
    if (!isHugePages(name)) continue;
    hugePages = true;
    checkHugePages(check, at, name, amount);
  }
  for (const [name, amount] of sortedEntries(requests)) {
    const at = `${field}.requests[${name}]`;
    common(at, name, amount);
    const limit = limits?.[name];
    if (limit !== undefined) {
      const order = compareQuantities(amount, limit);
      if (order !== 0 && !overcommits(name)) check.invalid(`${field}.requests`, amount, `must be equal to ${name} limit of ${limit}`);
      else if (order > 0) check.invalid(`${field}.requests`, amount, `must be less than or equal to ${name} limit of ${limit}`);
    } else if (!overcommits(name)) check.required(`${field}.limits`, 'Limit must be set for non overcommitable resources');
    if (!isHugePages(name)) continue;
    hugePages = true;
    checkHugePages(check, at, name, amount);
  }
  if (hugePages && !compute) check.forbidden(field, 'HugePages require cpu or memory');
  const seen = new Set<string>();
  resources?.claims?.forEach(({ name = '', request = '' }, i) => {
    const at = `${field}.claims[${i}]`;
    if (!check.given(at, name)) return;
    const key = request === '' ? name : `${name}/${request}`;
    if (request !== '') check.label(`${at}.request`, request);
    if (seen.has(name) || seen.has(key) || (request === '' && [...seen].some((other) => other.startsWith(`${name}/`)))) check.duplicate(at, key);
    seen.add(key);
    if (claims.has(name)) return;
    check.notFound(at, name);
    const error = check.errors.at(-1);
    const list = claims.size === 0 ? ' which is empty' : `: ${[...claims].sort().join(', ')}`;
    if (error) error.detail = `must be one of the names in pod.spec.resourceClaims${list}`;
  });
}

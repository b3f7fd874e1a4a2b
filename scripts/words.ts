import { globSync, readFileSync } from 'node:fs';

/** Words of Mainland usage → what Taiwan says. */
const MAINLAND: [RegExp, string][] = [
  [/集群/, '叢集'],
  [/數據/, '資料'],
  [/默認/, '預設'],
  [/程序(?!性)/, '程式（或「行程」）'],
  [/網絡/, '網路'],
  [/服務器/, '伺服器'],
  [/信息/, '訊息／資訊'],
  [/軟件/, '軟體'],
  [/硬件/, '硬體'],
  [/文件(夾|系統)/, '資料夾／檔案系統'],
  [/創建/, '建立'],
  [/用戶/, '使用者'],
  [/視頻/, '影片'],
  [/鏈接/, '連結'],
  [/屏幕/, '螢幕'],
  [/內存/, '記憶體'],
  [/磁盤/, '磁碟'],
  [/緩存/, '快取'],
  [/字符串/, '字串'],
  [/數組/, '陣列'],
  [/對象/, '物件'],
  [/接口/, '介面'],
  [/域名/, '網域名稱'],
  [/端口/, '連接埠'],
  [/掛載點?為/, '掛載'],
  [/進程/, '行程'],
  [/線程/, '執行緒'],
  [/調度/, '排程'],
  [/節點池/, '節點集區'],
  [/鏡像/, '映像檔'],
  [/支持/, '支援'],
  [/激活/, '啟用'],
  [/回滾/, '還原／復原'],
  [/質量/, '品質'],
  [/通過(?=[A-Za-z「])/, '透過'],
  [/加載/, '載入'],
  [/運行/, '執行'],
  [/登錄/, '登入'],
  [/缺省/, '預設'],
  [/查詢語句/, '查詢'],
];

/** Every character of Big5, decoded by the platform: a Han character outside it is not one that Taiwan's text uses. */
function bigFive(): ReadonlySet<string> {
  const decoder = new TextDecoder('big5');
  const out = new Set<string>();
  // Levels 1 and 2 of Big5 only: the Hong Kong extensions beyond them hold Simplified forms too.
  for (let lead = 0xa4; lead <= 0xf9; lead++) {
    if (lead > 0xc6 && lead < 0xc9) continue;
    for (let trail = 0x40; trail <= 0xfe; trail++) {
      if (trail > 0x7e && trail < 0xa1) continue;
      const text = decoder.decode(new Uint8Array([lead, trail]));
      if ([...text].length === 1 && text !== '\ufffd') out.add(text);
    }
  }
  return out;
}

/** Simplified characters and Mainland terms in what readers read: `file:line: what → instead`. */
export function checkWords(): string[] {
  const traditional = bigFive();
  const files = globSync(['content/**/*.{md,mdx,yaml,json}', 'labs/**/lab.yaml', 'src/{components,pages,workbench}/**/*.{astro,ts,mdx}'], {
    // The words readers may search by are data there.
    exclude: ['src/workbench/search-match.ts'],
  });
  return files.flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .flatMap((line, i) => [
        ...[...new Set([...line].filter((character) => /\p{Script=Han}/u.test(character) && !traditional.has(character)))].map(
          (character) => `${file}:${i + 1}: not a Traditional character: ${character}`,
        ),
        ...MAINLAND.filter(([pattern]) => pattern.test(line)).map(([pattern, instead]) => `${file}:${i + 1}: ${pattern.source} → ${instead}`),
      ]),
  );
}

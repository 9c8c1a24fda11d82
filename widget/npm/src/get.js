/** A file that has to be there. */
export async function get(url, integrity = '') {
  const response = await fetch(url, { integrity });
  if (!response.ok) throw new Error(`${url} answers ${response.status}`);
  return response;
}

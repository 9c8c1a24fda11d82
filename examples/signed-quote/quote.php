<?php
// Signs a quote: QUOTE_SECRET=... php quote.php KEY_ID < quote.json
//
// In your shop, take sign_quote() and call it where your page is made.

declare(strict_types=1);

/** A quote, signed: what the element's `quote` takes. */
function sign_quote(array|object $quote, string $key_id, string $secret): string
{
    $payload = base64url(json_encode($quote, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_THROW_ON_ERROR));
    $signed = "v1.$key_id.$payload";
    return $signed . '.' . base64url(hash_hmac('sha256', $signed, $secret, true));
}

function base64url(string $bytes): string
{
    return rtrim(strtr(base64_encode($bytes), '+/', '-_'), '=');
}

if (PHP_SAPI === 'cli' && realpath($argv[0]) === __FILE__) {
    $quote = json_decode(file_get_contents('php://stdin'), flags: JSON_THROW_ON_ERROR);
    echo sign_quote($quote, $argv[1], getenv('QUOTE_SECRET')), "\n";
}

// AES-256-GCM through OpenSSL's EVP interface, with a context of its own for each call.
#include "adapters/local/sealed_box.hpp"

#include "domain/api_key.hpp"

#include <openssl/evp.h>

#include <memory>
#include <span>
#include <system_error>
#include <utility>

namespace gw::local {
namespace {

constexpr std::size_t k_nonce_bytes = 12, k_tag_bytes = 16;

struct FreeContext {
    void operator()(EVP_CIPHER_CTX* context) const noexcept { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

const unsigned char* bytes_of(std::string_view text) noexcept
{
    return reinterpret_cast<const unsigned char*>(text.data());
}

unsigned char* bytes_of(std::string& text) noexcept
{
    return reinterpret_cast<unsigned char*>(text.data());
}

Secret derive(const Secret& master_key, std::string_view purpose)
{
    Sha256 derived =
        hmac_sha256(master_key.reveal(), "portcullis sealed files, version 1: " + std::string{purpose});
    Secret key{std::string(reinterpret_cast<const char*>(derived.data()), derived.size())};
    wipe(derived.data(), derived.size());
    return key;
}

[[noreturn]] void fail()
{
    throw std::system_error{std::make_error_code(std::errc::not_enough_memory), "AES-256-GCM"};
}

} // namespace

SealedBox::SealedBox(const Secret& master_key, std::string_view purpose) : key_(derive(master_key, purpose))
{
}

std::string SealedBox::seal(std::string_view text, std::string_view label) const
{
    std::string sealed(k_nonce_bytes + text.size() + k_tag_bytes, '\0');
    unsigned char* const out = bytes_of(sealed);
    random_bytes({out, k_nonce_bytes});
    const Context context{EVP_CIPHER_CTX_new()};
    int written = 0;
    const bool done =
        context &&
        EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, bytes_of(key_.reveal()), out) == 1 &&
        EVP_EncryptUpdate(context.get(), nullptr, &written, bytes_of(label),
                          static_cast<int>(label.size())) == 1 &&
        EVP_EncryptUpdate(context.get(), out + k_nonce_bytes, &written, bytes_of(text),
                          static_cast<int>(text.size())) == 1 &&
        EVP_EncryptFinal_ex(context.get(), out + k_nonce_bytes + text.size(), &written) == 1 &&
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, static_cast<int>(k_tag_bytes),
                            out + k_nonce_bytes + text.size()) == 1;
    if (!done)
        fail();
    return sealed;
}

result<Secret> SealedBox::open(std::string_view sealed, std::string_view label) const
{
    if (sealed.size() < k_nonce_bytes + k_tag_bytes)
        return errc::corrupt;
    const std::string_view nonce = sealed.substr(0, k_nonce_bytes);
    const std::string_view ciphertext =
        sealed.substr(k_nonce_bytes, sealed.size() - k_nonce_bytes - k_tag_bytes);
    std::string tag{sealed.substr(sealed.size() - k_tag_bytes)};

    const Context context{EVP_CIPHER_CTX_new()};
    std::string text(ciphertext.size(), '\0');
    int written = 0;
    const bool ready = context &&
                       EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, bytes_of(key_.reveal()),
                                          bytes_of(nonce)) == 1 &&
                       EVP_DecryptUpdate(context.get(), nullptr, &written, bytes_of(label),
                                         static_cast<int>(label.size())) == 1 &&
                       EVP_DecryptUpdate(context.get(), bytes_of(text), &written, bytes_of(ciphertext),
                                         static_cast<int>(ciphertext.size())) == 1 &&
                       EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, static_cast<int>(k_tag_bytes),
                                           tag.data()) == 1;
    Secret opened{std::move(text)}; // wiped on every way out: before the tag is checked it is nobody's text
    if (!ready)
        fail();
    unsigned char nothing[k_tag_bytes];
    if (EVP_DecryptFinal_ex(context.get(), nothing, &written) != 1)
        return errc::corrupt;
    return opened;
}

} // namespace gw::local

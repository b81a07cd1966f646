"""Golden of diffusers' AutoencoderKLQwenImage, whose layout is that of AutoencoderKLWan, on a single frame."""

import torch
from diffusers import AutoencoderKLQwenImage, AutoencoderKLWan

from golden import seed_parameters, write_golden, write_tensors

OPTIONS = {"base_dim": 6, "z_dim": 4, "dim_mult": [1, 2, 2], "num_res_blocks": 1, "temperal_downsample": [False, True]}
#: A seed under which `golden.check_weights` is content.
SEED = 1


def gain(name):
    if ".to_qkv." in name:
        return 1.8
    # Three temporal slices, of which one frame meets one.
    wide = 3**0.5 if "conv" in name and "resample" not in name else 1.0
    return wide * (0.8 if name.startswith("decoder.conv_out") else 1.2)


def encode_with(model):
    return lambda image: model.encode(image[:, :, None]).latent_dist.mean[:, :, 0]


def decode_with(model):
    def decode(latent):
        # As `_decode`, but for the clamping at its end: the method does not clamp.
        model.clear_cache()
        x = model.post_quant_conv(latent[:, :, None])
        model._conv_idx = [0]
        first = {"first_chunk": True} if isinstance(model, AutoencoderKLWan) else {}
        image = model.decoder(x, feat_cache=model._feat_map, feat_idx=model._conv_idx, **first)[:, :, 0]
        model.clear_cache()
        return image

    return decode


def make(name="qwen_image"):
    model = AutoencoderKLQwenImage(**OPTIONS)
    seed_parameters(model, SEED, gain)
    with torch.no_grad():
        for parameter_name, parameter in model.named_parameters():
            # Shaped [channels, 1, 1], and scales all the same.
            if parameter_name.endswith(".gamma"):
                parameter.copy_(1 + 0.3 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(len(parameter_name))))
    model.half().float()
    # What a single frame does not meet: convolutions in time alone.
    idle = [name for name, _ in model.named_parameters() if ".time_conv." in name]
    folder = write_golden(name, model, encode_with(model), decode_with(model), SEED, without_effect=idle)
    model.save_config(folder)
    write_tensors(folder / "model.safetensors", model.half().state_dict())
    wan = AutoencoderKLWan(**OPTIONS)
    wan.load_state_dict(model.float().state_dict())
    image = torch.linspace(-1, 1, 3 * 16 * 24).reshape(1, 3, 16, 24)
    with torch.inference_mode():
        latent = encode_with(model)(image)
        assert torch.equal(latent, encode_with(wan)(image))
        assert torch.equal(decode_with(model)(latent), decode_with(wan)(latent))
    print("AutoencoderKLWan gives the same")


if __name__ == "__main__":
    make()
